"""Words for making true and false sentences: what can stand for a word, and what turns its meaning round.

Written by hand for benchmarks/judges/corruptions.py. Each pole is a list of two sides: words of one side
may stand for one another in most sentences, a word of the other side makes the sentence say the opposite.
"""

from __future__ import annotations

VERB_POLES = """
increase raise boost elevate enhance strengthen amplify augment heighten | decrease reduce lower diminish weaken lessen
rise grow climb | fall decline drop shrink
promote stimulate facilitate encourage foster induce trigger | inhibit suppress prevent block hinder impair discourage
improve enrich | worsen degrade deteriorate
allow permit enable | forbid prohibit prevent disallow
accept approve | reject decline refuse
include contain | exclude omit
add insert | remove delete
create build establish | destroy delete dismantle
open | close
start begin commence launch | end stop finish cease
win | lose
gain acquire | lose forfeit
buy purchase | sell
succeed | fail
accelerate hasten | slow delay
protect shield | expose endanger
simplify | complicate
support endorse back | oppose reject
confirm verify demonstrate show | refute disprove
connect attach join | disconnect detach separate
maximize | minimize
upregulate | downregulate
activate | inactivate deactivate inhibit
arrive come | leave depart
appear emerge | disappear vanish
attract | repel
expand widen broaden extend | contract narrow restrict
encrypt | decrypt
import | export
love like | hate dislike
praise | criticize condemn
cause produce | prevent avert
retain keep | discard lose
attack | defend
hire employ | dismiss
encourage urge | discourage deter
enter | exit leave
require need | preclude
share | withhold
remember | forget
agree | disagree
survive | die
"""

IRREGULAR = {  # third person, past, participle, -ing
    "rise": "rises rose risen rising",
    "grow": "grows grew grown growing",
    "fall": "falls fell fallen falling",
    "begin": "begins began begun beginning",
    "win": "wins won won winning",
    "lose": "loses lost lost losing",
    "buy": "buys bought bought buying",
    "sell": "sells sold sold selling",
    "build": "builds built built building",
    "show": "shows showed shown showing",
    "come": "comes came come coming",
    "leave": "leaves left left leaving",
    "keep": "keeps kept kept keeping",
    "forget": "forgets forgot forgotten forgetting",
    "forbid": "forbids forbade forbidden forbidding",
    "stop": "stops stopped stopped stopping",
    "drop": "drops dropped dropped dropping",
    "permit": "permits permitted permitted permitting",
    "repel": "repels repelled repelled repelling",
    "omit": "omits omitted omitted omitting",
    "deter": "deters deterred deterred deterring",
    "withhold": "withholds withheld withheld withholding",
    "die": "dies died died dying",
    "get": "gets got got getting",
    "give": "gives gave given giving",
    "make": "makes made made making",
    "take": "takes took taken taking",
    "speak": "speaks spoke spoken speaking",
    "begin ": "begins began begun beginning",
}

WORD_POLES = """
higher greater larger bigger more | lower smaller less fewer
high elevated | low reduced
highest greatest largest most biggest | lowest smallest least
large big huge substantial | small little tiny
positive favorable | negative unfavorable
significant considerable | insignificant negligible
significantly considerably markedly | insignificantly negligibly
good | bad poor
better | worse
best | worst
fast quick rapid | slow gradual
faster quicker | slower
quickly rapidly | slowly gradually
early | late
earlier sooner | later
earliest | latest
old | new young
older | younger newer
oldest | youngest newest
strong robust powerful | weak fragile
stronger | weaker
strongly | weakly
long lengthy | short brief
longer | shorter
longest | shortest
rich wealthy | poor
public | private
common frequent widespread | rare uncommon infrequent
safe secure harmless | dangerous unsafe hazardous
simple easy straightforward | complex difficult hard complicated
able capable | unable incapable
effective efficient | ineffective inefficient
necessary required essential | unnecessary optional dispensable
sufficient adequate enough | insufficient inadequate
internal | external
inside within | outside
beneficial helpful useful | harmful detrimental damaging
sensitive susceptible vulnerable | resistant resilient immune
manual | automatic automated
manually | automatically
temporary transient | permanent lasting
static fixed | dynamic variable
male | female
men | women
man | woman
father | mother
brother | sister
son | daughter
husband | wife
king | queen
his | her
north | south
northern | southern
east | west
eastern | western
left | right
top upper | bottom lower
maximum | minimum
always invariably | never rarely
often frequently usually | rarely seldom never
all every | no few
most | few
many numerous several | few no
both | neither
before prior | after following
above over | below under
with including | without excluding
until | after
present | absent
presence | absence
active | inactive passive
possible feasible | impossible infeasible
likely probable | unlikely improbable
certain sure | uncertain unsure
known | unknown
visible | invisible hidden
legal lawful | illegal unlawful
healthy | sick ill
dependent | independent
direct | indirect
directly | indirectly
similar same identical alike | different dissimilar distinct
true correct right accurate | false incorrect wrong inaccurate
success victory | failure defeat
advantage benefit strength | disadvantage drawback weakness
increase rise growth gain | decrease decline reduction drop fall
improvement | deterioration worsening
profit | loss
success | failure
beginning start | end finish
majority | minority
acceptance approval | rejection refusal
expansion | contraction
activation | inhibition inactivation suppression
first | last second
hot warm | cold cool
heavy | light
expensive costly | cheap inexpensive
wet | dry
dark | bright
full | empty
wide broad | narrow
deep | shallow
modern | ancient
single | multiple
primary main major chief principal | secondary minor
successful | unsuccessful failed
popular | unpopular
famous renowned well-known | unknown obscure
urban | rural
local | global remote
short-term | long-term
recent | old
winner | loser
ally friend | enemy rival
lead leader | follower
"""

QUANTIFIERS = """
all | some
every | some
always | sometimes
must | might
must | may
will | may
is | may be
are | may be
can | cannot
only | not only
exactly | approximately
at least | at most
more than | less than
up to | over
twice | half
double | half
entire | partial
entirely | partly
all | most
required | recommended
should | must
proved | suggested
increase | change
"""

SYNONYMS = """
use utilize employ
help assist aid
show demonstrate indicate reveal
important crucial key vital
different distinct various
begin start
choose select pick
large big
make create produce
ensure guarantee
provide supply offer give
need require
keep maintain retain
change modify alter
also additionally
because since as
but however yet
many numerous
about approximately roughly around
however nevertheless
therefore thus hence
often frequently
problem issue
method approach technique
result outcome
goal objective aim
area region
example instance
company firm
people individuals persons
children kids
movie film
picture image
job position
state declare
said stated
say state
tell inform
study investigation
research studies
patients individuals
illness disease
doctor physician
medicine drug medication
death mortality
risk danger
evaluate assess
examine inspect
find discover
found discovered identified
observe notice
obtain get acquire
occur happen
happened occurred
buy purchase
end finish
try attempt
explain clarify
consider regard
evidence proof
suggest imply
main primary principal
total overall
whole entire
near close to
almost nearly
usually typically generally
mostly mainly largely
shortly soon
several a number of
despite in spite of
during throughout
via through
per for each
born native
died passed away
located situated
won received
led headed
became turned into
called named
wrote authored
built constructed
founded established
published released
received got
joined entered
served worked
played performed
moved relocated
returned came back
lived resided
married wed
killed slain
student pupil
teacher instructor
house home
road street
city town
nation country
war conflict
fight battle
attack assault
leader head
member participant
group team
award prize
game match
song track
album record
book volume
author writer
story tale
car vehicle
money funds
price cost
customer client
worker employee
task job
tool instrument
component part
resource asset
failure outage
workload application
deploy roll out
monitor observe track
test check
verify validate
configure set up
design plan
implement carry out
reduce cut
handle manage
detect spot
store save
send transmit
receive get
cell cells
tumor cancer
infant baby
adult grown-up
treatment therapy
effect impact influence
level amount
rate frequency
role function
mechanism process
associated linked correlated
compared relative
leads results
contribute add
affect influence
involve include
determine establish
express produce
measure quantify
additional further extra
specific particular
typical usual
similar comparable
appropriate suitable
recommended advised
quickly rapidly
easily readily
currently presently
previously formerly
finally eventually
"""

MONTHS = "January February March April May June July August September October November December".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()


def forms(verb: str) -> tuple[str, str, str, str, str]:
    """Base, third person, past, participle and -ing form."""
    if verb in IRREGULAR:
        third, past, participle, ing = IRREGULAR[verb].split()
        return verb, third, past, participle, ing
    if verb.endswith("e"):
        return verb, verb + "s", verb + "d", verb + "d", verb[:-1] + "ing"
    if verb.endswith("y") and verb[-2] not in "aeiou":
        return verb, verb[:-1] + "ies", verb[:-1] + "ied", verb[:-1] + "ied", verb + "ing"
    third = verb + ("es" if verb.endswith(("s", "sh", "ch", "x", "z")) else "s")
    return verb, third, verb + "ed", verb + "ed", verb + "ing"


def _sides(text: str) -> list[list[list[str]]]:
    return [[side.split() for side in line.split("|")] for line in text.strip().splitlines()]


def tables() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    """(alike, opposite): word to the words of its own side, and to those of the other side, forms kept."""
    alike: dict[str, set[str]] = {}
    opposite: dict[str, set[str]] = {}
    poles = _sides(WORD_POLES)
    for sides in _sides(VERB_POLES):
        poles += [[[forms(verb)[number] for verb in side] for side in sides] for number in range(5)]
    for sides in poles:
        for side, other in (sides, sides[::-1]):
            for word in side:
                alike.setdefault(word, set()).update(set(side) - {word})
                opposite.setdefault(word, set()).update(other)
    for line in SYNONYMS.strip().splitlines():
        words = line.split()
        if len(words) == 2 or all(len(word) > 3 for word in words):
            for word in words:
                alike.setdefault(word, set()).update(set(words) - {word} - opposite.get(word, set()))
    for word, others in alike.items():
        others -= opposite.get(word, set())
    return alike, opposite


def quantifier_swaps() -> list[tuple[str, str]]:
    """Pairs of phrases, each of which says more or less than the other."""
    pairs = [tuple(part.strip() for part in line.split("|")) for line in QUANTIFIERS.strip().splitlines()]
    return [(one, other) for one, other in pairs]
