"""Known server-side template injections, ours and those of published lists; each wants code, secrets or resources.

Run as a script it renders every one of them past the check of the files, in a process that may open no file, start
no program and reach no network, and prints what came out as JSON.
"""

from __future__ import annotations

import json
import resource
import sys

_OBJECTS = ("''", "[]", "()", "{}", "1", "1.5", "true", "question", "context", "self", "cycler", "joiner", "namespace",
            "lipsum", "range", "dict", "config", "request", "url_for", "get_flashed_messages", "g",
            "session")  # fmt: skip
_PATHS = (
    ".__class__", ".__class__.__mro__", ".__class__.__base__.__subclasses__()", ".__init__.__globals__",
    "['__class__']", "|attr('__class__')", "|attr('\\x5f\\x5fclass\\x5f\\x5f')",
)  # fmt: skip
_CHAINS = (
    "''.__class__.__mro__[1].__subclasses__()",
    "''.__class__.__base__.__subclasses__()[132].__init__.__globals__['popen']('id').read()",
    "[].__class__.__base__.__subclasses__()[40]('/etc/passwd').read()",
    "cycler.__init__.__globals__.os.popen('id').read()",
    "joiner.__init__.__globals__.os.popen('id').read()",
    "namespace.__init__.__globals__.os.popen('id').read()",
    "lipsum.__globals__['os'].popen('id').read()",
    "lipsum.__globals__.__builtins__.open('/etc/passwd').read()",
    "self.__init__.__globals__.__builtins__.__import__('os').popen('id').read()",
    "self._TemplateReference__context.cycler.__init__.__globals__.os.popen('id').read()",
    "request.application.__globals__.__builtins__.__import__('os').popen('id').read()",
    "request|attr('application')|attr('\\x5f\\x5fglobals\\x5f\\x5f')",
    "config.__class__.__init__.__globals__['os'].popen('id').read()",
    "config.items()",
    "get_flashed_messages.__globals__['current_app'].config",
    "url_for.__globals__['current_app'].config['SECRET_KEY']",
    "dict(__class__=1)|list",
    "'{0.__class__}'.format(question)",
    "'{0.__class__.__init__.__globals__}'|format(question)",
    "question.format_map({})",
    "('%s' % question).__class__",
    "question|attr(['_'*2, 'class', '_'*2]|join)",
    "question|attr('__cla' ~ 'ss__')",
    "question|map(attribute='__class__')|list",
    "[question]|map('attr', '__class__')|list",
    "[question]|groupby('__class__')",
    "[question]|selectattr('__class__')|list",
    "[question]|sort(attribute='__class__')",
    "[question]|sum(attribute='__class__')",
    "question|pprint", "question|xmlattr", "question|urlize", "question|filesizeformat", "question|random",
    "question|batch(2)", "question|slice(2)", "question|string|list|first", "question|reverse", "question|safe",
    "loop", "caller()", "varargs", "kwargs", "super()", "self.__dict__", "self.root()", "_", "__import__('os')",
    "().__class__.__bases__[0].__subclasses__()|length",
    "question.join(context).__class__",
    "question.__getattribute__('__class__')",
    "question['__cla'+'ss__']",
    "question|default(lipsum.__globals__)",
    "range(1000000000)|list", "range(999999999)|sum",
    "'a' * 1000000000", "9 ** 9 ** 9", "[0] * 1000000000", "'%999999999s' % question", "'%*d' % (999999999, 1)",
    "question|indent(999999999)", "question|center(999999999)", "question|wordwrap(1)", "question|replace('', context)",
    "question" + "|replace('e', 'eeeeeeeeee')" * 20,
    "question" + "|tojson" * 60,
    "(" * 500 + "question" + ")" * 500,
    "-" * 5_000 + "1",
    "question" + " ~ question" * 2_000,
)  # fmt: skip
_STATEMENTS = (
    "{% for c in [].__class__.__base__.__subclasses__() %}{{ c }}{% endfor %}",
    "{% for a in range(100000) %}{% for b in range(100000) %}x{% endfor %}{% endfor %}",
    "{% for a in question recursive %}{{ loop(question) }}{% endfor %}",
    "{% if ''.__class__ %}x{% endif %}",
    "{% set x = ''.__class__ %}{{ x }}",
    "{% set x %}{{ question.__class__ }}{% endset %}{{ x }}",
    "{% with a = question.__class__ %}{{ a }}{% endwith %}",
    "{% with a = question ~ question %}{% with b = a ~ a %}{{ b }}{% endwith %}{% endwith %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% call question() %}x{% endcall %}",
    "{% filter attr('__class__') %}x{% endfilter %}",
    "{% include '/etc/passwd' %}", "{% include question %}", "{% import 'os' as os %}{{ os.environ }}",
    "{% from 'os' import system %}{{ system('id') }}", "{% extends '/etc/passwd' %}",
    "{% block a %}{{ self.a() }}{% endblock %}", "{% debug %}", "{% do question.append(1) %}",
    "{% trans %}{{ question.__class__ }}{% endtrans %}",
    "{% autoescape false %}{{ question.__class__ }}{% endautoescape %}",
    "{{ question.__class__", "{%- print(question.__class__) -%}", "# for x in ().__class__:\n",
    "{{''.class}}${7*7}<%= 7*7 %>",
)  # fmt: skip

PAYLOADS = (
    *(f"{{{{ {thing}{path} }}}}" for thing in _OBJECTS for path in _PATHS),
    *(f"{{{{ {chain} }}}}" for chain in _CHAINS),
    *_STATEMENTS,
)
BANNED_EVENTS = ("open", "os.", "subprocess.", "socket.", "exec", "import", "ctypes.", "shutil.")


def main() -> None:
    from genaiops.errors import ConfigurationError
    from genaiops.prompting import render
    from genaiops.records import Message, Prompt

    def attempt(payload: str) -> str:
        prompt = Prompt("p", (Message("user", payload),), ("question", "context"))
        try:
            return render(prompt, {"question": "what?", "context": "SECRET"})[0].content[:2000]
        except ConfigurationError as error:
            return f"refused: {error.what}"[:2000]

    for warm_up in ("{{ question|tojson ~ question|truncate(1) ~ '\\n' }}", "{{ 1/0 }}", "{{ question.x }}"):
        attempt(warm_up)  # what rendering imports, it imports now
    resource.setrlimit(resource.RLIMIT_AS, (512 << 20, 512 << 20))
    seen: list[str] = []

    def watch(event: str, arguments: tuple[object, ...]) -> None:
        # Jinja2 itself compiles and runs the template it made; Python's own lines for tracebacks are no escape.
        if event.startswith(BANNED_EVENTS) and not (event == "exec" and _is_template(arguments)):
            seen.append(f"{event} {arguments!r:.200}")

    sys.addaudithook(watch)
    results = []
    for payload in PAYLOADS:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        said = attempt(payload)
        spent = resource.getrusage(resource.RUSAGE_SELF).ru_utime - before
        results.append({"said": said, "seconds": spent, "events": list(seen)})
        seen.clear()
    print(json.dumps(results))


def _is_template(arguments: tuple[object, ...]) -> bool:
    return getattr(arguments[0], "co_filename", "") in ("<template>", "<unknown>")


if __name__ == "__main__":
    main()
