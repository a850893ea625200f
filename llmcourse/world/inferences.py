"""Premises for `entailment`: what makes a sentence true, false, or leaves it open.

Each phenomenon has schemas parted by blank lines. A schema is a hypothesis (H), drawn first, and
premises that entail it (E), contradict it (C) or say nothing of it (N), in the notation of
`grammar.parse`. The hypothesis does not depend on the label, so it never gives it away. Nearly
every claim is matched by its denial, so neither do `not` and `nobody` in the premise.

Plurals with "the" are taken to exist: "all the owls slept" entails that some did.
source: Natural Logic as in MacCartney and Manning, An extended model of natural logic, 2009, for
the quantifiers and the direction in which each of their places can be widened or narrowed.
"""

from __future__ import annotations

INFERENCES = {
    "hypernym": """
H <p:person> <v:met> a <x:taxon.kind> <w:where> .
E {p} {v} a {x} {w} .
E {w} , {p} {v} [two|three] {x.many} .
E {p} {v} a [young|tired|small] {x} {w} .
C {p} {v} no {x.kinds} {w} .
C {p} {v} no {x.tops} at all {w} .
C {w} , {p} did not {v.base} a single {x.top} .
N {p} {v} a {x.top} {w} .
N {p} {v} a {x} , but not {w} .
N {p} {v} no {x.many} {w} .

H <p:person> <v:met> a <x:taxon> <w:where> .
E {p} {v} a [young|tired|small] {x} {w} .
E {w} , {p} {v} [a {x} and a {x.other}|a {x.other} and a {x}] .
C {p} {v} no {x.kinds} {w} .
N {p} {v} a {x.kind} {w} .
N {p} {v} a [young|tired|small] {x.other} {w} .
N {p} {v} no {x.others} {w} .
N {w} , {p} did not {v.base} a single {x.other} .

H <p:person> <v:met> no <x:taxon.many> <w:where> .
E {p} {v} no {x.kinds} {w} .
E {w} , {p} did not {v.base} a single {x.top} .
C {p} {v} a {x} {w} .
C {p} {v} [a young {x}|two {x.many}] {w} .
C {w} , {p} {v} [a {x} and a {x.other}|a {x.other} and a {x}] .
N {p} {v} no {x.others} {w} .
N {p} {v} a {x.other} {w} .
N {w} , {p} did not {v.base} a single {x.other} .
N {w} , {p} {v} a {x.kind} .

H <p:person> <v:met> no <x:taxon.kinds> <w:where> .
E {p} {v} no {x.tops} {w} .
E {w} , {p} did not {v.base} a single {x.top} .
C {p} {v} a [young|tired|small] {x} {w} .
C {w} , {p} {v} [two|three] {x.others} .
N {p} {v} no {x.many} {w} .
N {p} {v} a {x.top} {w} .
N {w} , {p} did not {v.base} a single {x} .
""",
    "quantity": """
H all the <x:taxon.many> <y:slept> <t:when> .
E all the {x.kinds} {y} {t} .
E all the {x.many} {y.narrow} {t} .
E [every {x}|each of the {x.many}] {y.narrow} {t} .
C not all the {x.many} {y} {t} .
C none of the {x.many} {y} {t} .
C some of the {x.many} did not {y.base} {t} .
N all the {x.others} {y} {t} .
N some of the {x.many} {y} {t} .
N all the young {x.many} {y} {t} .
N [some of the {x.kinds} did not {y.base}|none of the {x.others} {y}] {t} .

H all the <x:taxon.many> <y:slept.narrow> <t:when> .
E all the {x.kinds} {y.narrow} {t} .
E [every {x.kind}|each of the {x.kinds}] {y.narrow} {t} .
C none of the {x.many} {y} {t} .
C not all the {x.many} {y.narrow} {t} .
C some of the {x.many} did not {y.base} {t} .
N all the {x.many} {y} {t} .
N some of the {x.kinds} {y.narrow} {t} .
N none of the {x.others} {y} {t} .
N some of the {x.kinds} did not {y.base} {t} .

H some of the <x:taxon.kinds> <y:slept> <t:when> .
E some of the {x.many} {y} {t} .
E all the {x.kinds} {y.narrow} {t} .
E at least two {x.others} {y} {t} .
C none of the {x.kinds} {y} {t} .
C none of the {x.tops} {y} {t} .
C all the {x.kinds} did something , but not one of them {y} {t} .
N some of the {x.tops} {y} {t} .
N not all the {x.kinds} {y} {t} .
N none of the {x.many} {y} {t} .
N at least two {x.tops} {y.narrow} {t} .

H none of the <x:taxon.many> <y:slept.narrow> <t:when> .
E none of the {x.many} {y} {t} .
E none of the {x.kinds} {y.narrow} {t} .
C some of the {x.many} {y.narrow} {t} .
C all the {x.kinds} {y.narrow} {t} .
C at least two {x.many} {y.narrow} {t} .
N none of the {x.others} {y.narrow} {t} .
N some of the {x.many} {y} {t} .
N not all the {x.many} {y.narrow} {t} .
N at least two {x.kinds} {y.narrow} {t} .

H at least two <x:taxon.kinds> <y:slept> <t:when> .
E at least two {x.many} {y} {t} .
E at least [three|four] {x.kinds} {y.narrow} {t} .
C only one {x.kind} {y} {t} .
C no {x.kind} {y} {t} .
C only one {x.top} {y} {t} .
N at least one {x.kind} {y} {t} .
N at least two {x.tops} {y} {t} .
N only one {x} {y} {t} .

H not all the <x:taxon.kinds> <y:slept> <t:when> .
E not all the {x.many} {y} {t} .
E none of the {x.kinds} {y} {t} .
E some of the {x.others} did not {y.base} {t} .
C all the {x.kinds} {y} {t} .
C all the {x.tops} {y.narrow} {t} .
C [every {x.kind}|each of the {x.kinds}] {y.narrow} {t} .
N some of the {x.kinds} {y} {t} .
N not all the {x.kinds} {y.narrow} {t} .
N not all the {x.tops} {y} {t} .
N all the {x.many} {y} {t} .
""",
    "negation": """
H <n:state> is {n.this} <t:today> .
E {n} is not {n.that} {t} .
E it is not true that {n} is {n.that} {t} .
E <p:person> is right : {n} is {n.this} {t} .
C {n} is not {n.this} {t} .
C {n} is {n.that} {t} .
C it is not true that {n} is {n.this} {t} .
C it is false that {n} is not {n.that} {t} .
N {n} was {n.this} [a year ago|last winter] .
N <p:person> asked whether {n} is [{n.this}|not {n.that}] {t} .
N {n} will be {n.this} [in a year|next winter] .

H <n:state> is not {n.this} <t:today> .
E {n} is {n.that} {t} .
E it is not true that {n} is {n.this} {t} .
E <p:person> is right : {n} is {n.that} {t} .
C {n} is {n.this} {t} .
C {n} is not {n.that} {t} .
C it is not true that {n} is {n.that} {t} .
C <p:person> is right : {n} is {n.this} {t} .
N {n} was {n.that} [a year ago|last winter] .
N <p:person> asked whether {n} is [{n.this}|not {n.that}] {t} .
N {n} will be {n.that} [in a year|next winter] .
""",
    "factive": """
H <n:state> is {n.this} <t:today> .
E <p:person> [knows|has found out|is glad|is sorry] that {n} is {n.this} {t} .
E <p:person> does not know that {n} is {n.this} {t} .
E <p:person> [wrongly thinks|only pretends] that {n} is {n.that} {t} .
C <p:person> [wrongly thinks|only pretends] that {n} is {n.this} {t} .
C <p:person> [knows|has found out|is glad|is sorry] that {n} is {n.that} {t} .
C <p:person> does not know that {n} is {n.that} {t} .
N <p:person> [thinks|hopes|says|fears] that {n} is [{n.this}|{n.that}] {t} .
N <p:person> does not think that {n} is {n.this} {t} .
N <p:person> [wants to know|has not found out] whether {n} is {n.this} {t} .

H <n:state> is not {n.this} <t:today> .
E <p:person> [knows|has found out|is glad|is sorry] that {n} is {n.that} {t} .
E <p:person> [wrongly thinks|only pretends] that {n} is {n.this} {t} .
C <p:person> [wrongly thinks|only pretends] that {n} is {n.that} {t} .
C <p:person> [knows|has found out|is glad|is sorry] that {n} is {n.this} {t} .
N <p:person> [thinks|hopes|says|fears] that {n} is [{n.this}|{n.that}] {t} .
N <p:person> does not think that {n} is {n.that} {t} .
""",
    "voice": """
H <p:person> <v:act> <q:person> <w:where> .
E {q} was {v.done} by {p} {w} .
E it was {p} who {v} {q} {w} .
E {w} , both {q} and <r:person> were {v.done} by {p} .
C {p} did not {v.base} {q} {w} .
C {q} was not {v.done} by {p} {w} .
C nobody {v} {q} {w} .
N {q} {v} {p} {w} .
N {p} was {v.done} by {q} {w} .
N it was {q} who {v} {p} {w} .
N {q} did not {v.base} {p} {w} .
N {p} was not {v.done} by {q} {w} .

H <q:person> was <v:act.done> by <p:person> <w:where> .
E {p} {v} {q} {w} .
E it was {p} who {v} {q} {w} .
E {w} , {p} {v} both {q} and <r:person> .
C {p} did not {v.base} {q} {w} .
C {p} {v} nobody {w} .
C it was not {p} who {v} {q} {w} .
N {q} {v} {p} {w} .
N it was {q} who {v} {p} {w} .
N {q} did not {v.base} {p} {w} .
N {p} was not {v.done} by {q} {w} .

H <p:person> did not <v:act.base> <q:person> <w:where> .
E {q} was not {v.done} by {p} {w} .
E {p} {v} nobody {w} .
E {w} , {p} {v} neither {q} nor <r:person> .
C {p} {v} {q} {w} .
C {q} was {v.done} by {p} {w} .
C it was {p} who {v} {q} {w} .
N {q} did not {v.base} {p} {w} .
N {p} was not {v.done} by {q} {w} .
N {q} {v} {p} {w} .
N it was {q} who {v} {p} {w} .
""",
    "modifier": """
H <p:person> <v:bought> a <th:thing> .
E {p} {v} a <a:adjective> {th} <w:where> .
E <w:where> , {p} {v} a <a:adjective> {th} .
E {p} {v} a {th} and a <z:thing> .
C {p} did not {v.base} a {th} .
C {p} {v} nothing .
C {p} {v} no {th.many} at all .
N {p} wanted to {v.base} a <a:adjective> {th} <w:where> .
N {p} {v} a <a:adjective> <z:thing> <w:where> .
N {p} did not {v.base} a <a:adjective> {th} .
N {p} {v} no <a:adjective> {th.many} .

H <p:person> <v:bought> a <a:adjective> <th:thing> .
E {p} {v} a {a} {th} <w:where> .
E <w:where> , {p} {v} two {a} {th.many} .
C {p} did not {v.base} a {a} {th} .
C {p} {v} just one {th} , and it was not {a} .
C {p} {v} no {th.many} at all .
N {p} {v} a {th} <w:where> .
N {p} {v} a {a} <z:thing> <w:where> .
N {p} wanted to {v.base} a {a} {th} .
N {p} did not {v.base} a {a} <z:thing> .

H <p:person> did not <v:bought.base> a <a:adjective> <th:thing> .
E {p} did not {v.base} a {th} .
E {p} {v} nothing .
E {p} {v} no {th.many} at all .
C {p} {v} a {a} {th} <w:where> .
C <w:where> , {p} {v} two {a} {th.many} .
C {p} {v} a {a} {th} and a <z:thing> .
N {p} {v} a {th} <w:where> .
N {p} {v} a {a} <z:thing> <w:where> .
N {p} did not {v.base} a {a} <z:thing> .
N {p} {v} no <z:thing.many> at all .
""",
    "background": """
H <p:citizen> <hb:habit> .
E {p} is a {p.job} in [{p.town}|{p.country}] , and every {p.job} there {hb} .
E every {p.job} {hb} , and {p} is a {p.job} .
C {p} is a {p.job} in [{p.town}|{p.country}] , and no {p.job} there {hb} .
C no {p.job} {hb} , and {p} is a {p.job} .
N {p} is a {p.job} in [{p.town}|{p.country}] , and [every|no] <j:job> there {hb} .
N [every|no] <j:job> {hb} , and {p} is a {p.job} .
N {p} is a {p.job} in [{p.town}|{p.country}] , and [many|not all] people there {hb.base} .

H <p:citizen> <hb:habit.never> .
E {p} is a {p.job} in [{p.town}|{p.country}] , and no {p.job} there {hb} .
E no {p.job} {hb} , and {p} is a {p.job} .
C {p} is a {p.job} in [{p.town}|{p.country}] , and every {p.job} there {hb} .
C every {p.job} {hb} , and {p} is a {p.job} .
N {p} is a {p.job} in [{p.town}|{p.country}] , and [every|no] <j:job> there {hb} .
N [every|no] <j:job> {hb} , and {p} is a {p.job} .
N {p} is a {p.job} in [{p.town}|{p.country}] , and [many|not all] people there {hb.base} .
""",
    "temporal": """
H <p:citizen> <d:deed> before {p.he} <e:deed> .
E {p} {e} after {p.he} {d} .
E first {p} {d} , and then {p.he} {e} .
E {p} {d} [on Monday|at noon] and {e} [on the next day|two days later] .
C {p} {d} after {p.he} {e} .
C first {p} {e} , and then {p.he} {d} .
C {p} {e} [on Monday|at noon] and {d} [on the next day|two days later] .
N {p} [{d} and {e}|{e} and {d}] [in the same week|, but nobody knows in which order] .
N {p} {d} after <q:person> {e} .

H <p:citizen> <d:deed> after {p.he} <e:deed> .
E {p} {e} before {p.he} {d} .
E first {p} {e} , and then {p.he} {d} .
E {p} {e} [on Monday|at noon] and {d} [on the next day|two days later] .
C {p} {d} before {p.he} {e} .
C first {p} {d} , and then {p.he} {e} .
C {p} {d} [on Monday|at noon] and {e} [on the next day|two days later] .
N {p} [{d} and {e}|{e} and {d}] [in the same week|, but nobody knows in which order] .
N first {p} {e} , and then <q:person> {d} .
N {p} {d} before <q:person> {e} .
""",
    "number": """
H <p:person> <v:bought> at least <n:number> <th:thing.many> <w:where> .
E {p} {v} [exactly {n}|exactly {n.high}|more than {n}|at least {n.high}] {th.many} {w} .
C {p} {v} [exactly {n.low}|fewer than {n}|at most {n.low}|fewer than {n.low}] {th.many} {w} .
N {p} {v} [at least {n.low}|fewer than {n.high}|at most {n.high}|at most {n}] {th.many} {w} .

H <p:person> <v:bought> at most <n:number> <th:thing.many> <w:where> .
E {p} {v} [exactly {n}|exactly {n.low}|fewer than {n}|at most {n.low}] {th.many} {w} .
C {p} {v} [exactly {n.high}|more than {n}|at least {n.high}|more than {n.high}] {th.many} {w} .
N {p} {v} [at least {n.low}|fewer than {n.high}|at most {n.high}|at least {n}] {th.many} {w} .

H <p:person> <v:bought> more than <n:number> <th:thing.many> <w:where> .
E {p} {v} [exactly {n.high}|more than {n.high}|at least {n.high}] {th.many} {w} .
C {p} {v} [exactly {n}|exactly {n.low}|at most {n}|fewer than {n}] {th.many} {w} .
N {p} {v} [at least {n.low}|fewer than {n.high}|at most {n.high}|at least {n}] {th.many} {w} .

H <p:person> <v:bought> fewer than <n:number> <th:thing.many> <w:where> .
E {p} {v} [exactly {n.low}|fewer than {n.low}|at most {n.low}] {th.many} {w} .
C {p} {v} [exactly {n}|exactly {n.high}|at least {n}|more than {n}] {th.many} {w} .
N {p} {v} [at least {n.low}|fewer than {n.high}|at most {n.high}|at most {n}] {th.many} {w} .
""",
    "coordination": """
H <p:person> <y:danced> <w:where> .
E [both|] {p} and <q:person> {y} {w} .
E <q:person> did not {y.base} {w} , but {p} did .
C [neither {p} nor <q:person>|neither <q:person> nor {p}] {y} {w} .
C <q:person> {y} {w} , but {p} did not .
N [either|] {p} or <q:person> {y} {w} , but I forgot who .
N <q:person> {y} {w} , but {p} was [late|ill] .
N neither <q:person> nor <r:person> {y} {w} .
N both <q:person> and <r:person> {y} {w} .

H <p:person> did not <y:danced.base> <w:where> .
E [neither {p} nor <q:person>|neither <q:person> nor {p}] {y} {w} .
E <q:person> {y} {w} , but {p} did not .
C [both|] {p} and <q:person> {y} {w} .
C <q:person> did not {y.base} {w} , but {p} did .
N [either|] {p} or <q:person> {y} {w} , but I forgot who .
N <q:person> {y} {w} , but {p} was [late|ill] .
N neither <q:person> nor <r:person> {y} {w} .
N both <q:person> and <r:person> {y} {w} .
""",
    "comparison": """
H the <x:colour> <s:noun> is <c:degree.more> than the <y:colour> one .
E the {y} {s} is {c.less} than the {x} one .
E the {x} {s} is {c.more} than the <z:colour> one , and that one is {c.more} than the {y} one .
C the {y} {s} is {c.more} than the {x} one .
C the {x} {s} is just as {c} as the {y} one .
C the {x} {s} is not {c.more} than the {y} one .
N the {x} {s} is {c.more} than the <z:colour> one , and so is the {y} one .
N the {x} {s} is not {c.less} than the {y} one .
N the <z:colour> {s} is {c.more} than the {x} one and the {y} one .

H the <x:colour> <s:noun> is not <c:degree.more> than the <y:colour> one .
E the {x} {s} is {c.less} than the {y} one .
E the {y} {s} is {c.more} than the {x} one .
E the {x} {s} is just as {c} as the {y} one .
C the {x} {s} is {c.more} than the {y} one .
C the {y} {s} is {c.less} than the {x} one .
C the {x} {s} is {c.more} than the <z:colour> one , and that one is {c.more} than the {y} one .
N the {x} {s} is not {c.more} than the <z:colour> one .
N the <z:colour> {s} is {c.more} than the {x} one and the {y} one .
N the {x} {s} is {c.more} than the <z:colour> one , and so is the {y} one .
""",
}
