"""The constants of the HTML report: its style, and the one script, which only shows and hides cases."""

from __future__ import annotations

import base64
import hashlib

from genaiops.evaluation.reports.markup import Markup, h

STYLE = """
:root{color-scheme:light dark;
--paper:#fbfaf7;--card:#fff;--ink:#1d2126;--soft:#5d6670;--line:#e2dfd8;--tint:#f3f1ec;
--accent:#1f5fae;--good:#1c7a46;--goodbg:#e4f4ea;--bad:#b3261e;--badbg:#fbe9e7;--warn:#8a5a00;--warnbg:#fdf1d8;
--mark:#fff0b8;--markline:#e0b93a;
--sans:ui-sans-serif,system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
--mono:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace}
@media(prefers-color-scheme:dark){:root{
--paper:#14171b;--card:#1b1f24;--ink:#e6e8ea;--soft:#9aa4ae;--line:#2d333a;--tint:#22272d;
--accent:#7db4f5;--good:#6fcf97;--goodbg:#153524;--bad:#ff8a80;--badbg:#3d1b19;--warn:#f2c063;--warnbg:#3a2c10;
--mark:#4a3f12;--markline:#a58a2c}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 var(--sans);overflow-wrap:anywhere}
main{max-width:1120px;margin:0 auto;padding:40px 24px 80px}
h1{font-size:1.75rem;line-height:1.2;margin:0 0 4px;letter-spacing:-.015em}
h2{font-size:1.12rem;margin:44px 0 14px;letter-spacing:-.005em}
h3{font-size:.76rem;font-weight:600;margin:20px 0 6px;color:var(--soft)}
p{margin:0 0 8px}
.soft{color:var(--soft)}.small{font-size:.86rem}.mono{font-family:var(--mono);font-size:.84em}
.verdict{border:1px solid var(--line);border-left:6px solid var(--soft);border-radius:8px;background:var(--card);
padding:16px 20px;margin:24px 0}
.verdict strong{font-size:1.15rem}
.verdict ul{margin:8px 0 0;padding-left:20px}
.verdict.pass{border-left-color:var(--good)}.verdict.pass strong{color:var(--good)}
.verdict.fail{border-left-color:var(--bad)}.verdict.fail strong{color:var(--bad)}
.verdict.inconclusive{border-left-color:var(--warn)}.verdict.inconclusive strong{color:var(--warn)}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(158px,1fr));gap:12px;margin:24px 0 0}
.card{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:14px 16px}
.card b{display:block;font-size:1.55rem;line-height:1.25;font-variant-numeric:tabular-nums;letter-spacing:-.02em}
.card span{display:block;font-size:.82rem;color:var(--soft)}
.scroll{overflow-x:auto;border:1px solid var(--line);border-radius:8px;background:var(--card)}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{padding:9px 14px;text-align:left;border-bottom:1px solid var(--line);vertical-align:middle}
tr:last-child>th,tr:last-child>td{border-bottom:0}
thead th{font-weight:600;color:var(--soft);font-size:.8rem;background:var(--tint);white-space:nowrap}
tbody th{font-weight:600;font-family:var(--mono);font-size:.86em}
td.n,th.n{text-align:right;white-space:nowrap}
.plot{display:block}.plot .grid{stroke:var(--line);stroke-width:1}
.plot .now.bar{fill:var(--accent);opacity:.38}.plot .now.dot{fill:var(--accent)}
.plot .before.bar{fill:var(--soft);opacity:.28}.plot .before.dot{fill:var(--card);stroke:var(--soft);stroke-width:1.5}
.up{color:var(--good)}.down{color:var(--bad)}.flag{color:var(--warn)}
.filters{display:flex;flex-wrap:wrap;gap:10px;align-items:center;margin:0 0 14px}
.filters input,.filters select{font:inherit;font-size:.9rem;color:var(--ink);background:var(--card);
border:1px solid var(--line);border-radius:6px;padding:6px 10px;min-width:0;max-width:100%}
.filters input{flex:1 1 220px}
:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
details.case{background:var(--card);border:1px solid var(--line);border-radius:8px;margin:0 0 10px}
details.case>summary{cursor:pointer;padding:12px 16px;display:flex;gap:12px;align-items:baseline;flex-wrap:wrap}
details.case>summary .q{flex:1 1 320px;font-weight:500}
details.case[open]>summary{border-bottom:1px solid var(--line)}
.inside{padding:4px 20px 20px}
.pill{font-size:.76rem;padding:2px 9px;border-radius:99px;background:var(--tint);color:var(--soft);white-space:nowrap}
.pill.error,.pill.regressed{background:var(--badbg);color:var(--bad)}
.pill.unscored,.pill.weak{background:var(--warnbg);color:var(--warn)}
.pill.good,.pill.improved{background:var(--goodbg);color:var(--good)}
.text{white-space:pre-wrap;margin:0}
.answer{background:var(--tint);border-radius:6px;padding:12px 14px}
.outcomes{display:grid;grid-template-columns:repeat(auto-fill,minmax(190px,1fr));gap:6px 18px;margin:0}
.outcomes div{display:flex;justify-content:space-between;gap:10px;border-bottom:1px dotted var(--line);padding:2px 0;
font-size:.9rem}
.outcomes dt{font-family:var(--mono);font-size:.86em}
.outcomes dd{margin:0;font-variant-numeric:tabular-nums;text-align:right}
ol.hits{margin:0;padding:0;list-style:none}
ol.hits>li{border-left:3px solid var(--line);padding:2px 0 2px 14px;margin:0 0 14px}
ol.hits>li.cited{border-left-color:var(--markline)}
mark{background:var(--mark);color:inherit;border-bottom:1px solid var(--markline);padding:1px 0}
.unsupported{text-decoration:underline wavy var(--bad) 1px;text-underline-offset:4px}
dl.facts{display:grid;grid-template-columns:max-content 1fr;gap:4px 20px;margin:0;font-size:.9rem}
dl.facts dt{color:var(--soft)}dl.facts dd{margin:0;font-family:var(--mono);font-size:.88em}
pre{white-space:pre-wrap;font-family:var(--mono);font-size:.82rem;background:var(--tint);border-radius:6px;
padding:12px 14px;margin:0}
[hidden]{display:none!important}
@media(max-width:640px){main{padding:24px 14px 60px}th,td{padding:8px 10px}.inside{padding:4px 14px 16px}}
@media print{body{background:#fff}.filters{display:none}details.case{break-inside:avoid}}
"""

# Reads only what the page already shows and sets only `hidden` and one count: no text ever becomes markup.
SCRIPT = """
(function(){"use strict";
var form=document.getElementById("filters");if(!form){return;}
var cases=Array.prototype.slice.call(document.querySelectorAll("details.case"));
var shown=document.getElementById("shown");
function apply(){
var text=form.elements.text.value.toLowerCase(),kind=form.elements.kind.value;
var state=form.elements.state.value,tag=form.elements.tag.value,count=0;
cases.forEach(function(item){var d=item.dataset;
var ok=(!kind||d.kind===kind)&&(!state||d.state===state)&&(!tag||JSON.parse(d.tags).indexOf(tag)>=0)
&&(!text||item.textContent.toLowerCase().indexOf(text)>=0);
item.hidden=!ok;if(ok){count+=1;}});
shown.textContent=count+" of "+cases.length;}
form.hidden=false;form.addEventListener("input",apply);form.addEventListener("submit",function(e){e.preventDefault();});
apply();})();
"""

_SCRIPT_HASH = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
# Nothing may be loaded from anywhere, and no script but ours (by its digest) may run, whatever the data holds.
POLICY = (
    f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{_SCRIPT_HASH}'; "
    "base-uri 'none'; form-action 'none'"
)


def page(title: str, body: Markup) -> str:
    """A whole HTML document around `body`, for a browser without network."""
    head = h(
        "head",
        h("meta", charset="utf-8"),
        h("meta", http_equiv="Content-Security-Policy", content=POLICY),
        h("meta", name="viewport", content="width=device-width, initial-scale=1"),
        h("meta", name="referrer", content="no-referrer"),
        h("title", title),
        Markup(f"<style>{STYLE}</style>"),
    )
    return f"<!doctype html>\n{h('html', head, h('body', body, Markup(f'<script>{SCRIPT}</script>')), lang='en')}\n"
