"""The sentences of the coreference task: who does what to whom, told from both sides.

Each block of lines in `SCHEMAS` is one: what one candidate, {a}, does to the other, {b}; the same
told with {b} first; pairs of words for the place {x}, the first of which makes the pronoun {he}
mean {a} and the second {b}; for things and animals, what {a} and what {b} may be. As each pair is
met with {a} first and with {b} first, no word says which candidate is meant.
Each line of `SENTENCES` is one with the pronoun itself at {x}.
"""

from __future__ import annotations

# States of a day, which people with a name may be in.
_PEOPLE = """
{a} thanked {b} @why {he} had {x} help
{b} was thanked by {a} @why {he} had {x} help
received/given

{a} paid {b} for the <f:food> that {he} had {x}
{b} was paid by {a} for the <f:food> that {he} had {x}
bought/sold ordered/brought

{a} apologised to {b} @why {he} had been {x}
{b} got an apology from {a} @why {he} had been {x}
rude/insulted careless/hurt

{a} forgave {b} @why {he} was {x}
{b} was forgiven by {a} @why {he} was {x}
generous/sorry

{a} comforted {b} @why {he} was {x}
{b} was comforted by {a} @why {he} was {x}
kind/sad gentle/upset

{a} looked after {b} @why {he} was {x}
{b} was looked after by {a} @why {he} was {x}
kind/ill helpful/hurt

{a} hid from {b} [in the barn |]@why {he} was {x}
{b} could not find {a} [in the barn |], @why {he} was {x}
afraid/angry

{a} gave {b} half of the [bread|cake|pie] @why {he} was {x}
{b} got half of the [bread|cake|pie] from {a} @why {he} was {x}
full/hungry

{a} told {b} the news @why {he} had {x} it
{b} was told the news by {a} @why {he} had {x} it
heard/missed

{a} scolded {b} [at the gate|] @why {he} was {x}
{b} was scolded by {a} [at the gate|] @why {he} was {x}
angry/late furious/careless

{a} had to wait for {b} [at the bridge|] @why {he} was {x}
{b} kept {a} waiting [at the bridge|] @why {he} was {x}
early/late

{a} envied {b} @why {he} had {x} the [game|race|prize]
{b} was envied by {a} @why {he} had {x} the [game|race|prize]
lost/won

{a} helped {b} in the [kitchen|garden|barn] @why {he} was {x}
{b} was helped by {a} in the [kitchen|garden|barn] @why {he} was {x}
free/busy

{a} carried {b} home @why {he} was {x}
{b} was carried home by {a} @why {he} was {x}
strong/tired

{a} borrowed [money|some coins] from {b} @why {he} had {x} so much
{b} lent {a} [money|some coins] @why {he} had {x} so much
spent/saved

{a} sold {b} some <f:food> @why {he} had too {x}
{b} bought some <f:food> from {a} @why {he} had too {x}
many/few

{a} wrote {b} a letter , which {he} {x} [a day later|at once|in the rain]
{b} was sent a letter by {a} , which {he} {x} [a day later|at once|in the rain]
posted/received

{a} lent {b} a [ladder|rope|bicycle|lantern] , and [a week|a month] later {he} {x} it
{b} borrowed a [ladder|rope|bicycle|lantern] from {a} , and [a week|a month] later {he} {x} it
demanded/returned

{a} told {b} the answer @why {he} {x} it
{b} heard the answer from {a} @why {he} {x} it
knew/needed

{a} beat {b} in the race @why {he} was {x}
{b} lost the race to {a} @why {he} was {x}
rested/tired fast/slow

{a} could not catch {b} [on the hill |]@why {he} ran too {x}
{b} could not be caught by {a} [on the hill |]@why {he} ran too {x}
slowly/fast

{a} passed {b} on the road @why {he} walked so {x}
{b} was passed by {a} on the road @why {he} walked so {x}
quickly/slowly

{a} visited {b} @why {he} was {x}
{b} was visited by {a} @why {he} was {x}
worried/ill

{a} cooked for {b} @why {he} was {x}
{b} got a meal from {a} @why {he} was {x}
kind/hungry

{a} followed {b} [through the wood|over the hill] @why {he} had {x} the way
{b} was followed by {a} [through the wood|over the hill] @why {he} had {x} the way
forgotten/found

{a} praised {b} @why {he} was {x}
{b} was praised by {a} @why {he} was {x}
impressed/brave pleased/diligent

{a} teased {b} [at the feast |]@why {he} was {x}
{b} was teased by {a} [at the feast |]@why {he} was {x}
bored/shy

{a} pulled {b} out of the [river|sea|lake] @why {he} could {x}
{b} was pulled out of the [river|sea|lake] by {a} @why {he} could {x}
swim/drown

{a} warned {b} in time @why {he} had {x} the danger
{b} was warned in time by {a} @why {he} had {x} the danger
seen/ignored

{a} looked for {b} [everywhere|in the wood] @why {he} was {x}
{b} was looked for by {a} [everywhere|in the wood] @why {he} was {x}
worried/missing
"""

# What people are for long: told of those without a name.
_STRANGERS = """
{a} could not carry {b} @why {he} was too {x}
{b} could not be carried by {a} @why {he} was too {x}
weak/heavy

{a} could not see over {b} @why {he} was too {x}
{b} could not be seen over by {a} @why {he} was too {x}
short/tall

{a} could not hear {b} @why {he} was too {x}
{b} could not be heard by {a} @why {he} was too {x}
deaf/quiet

{a} hired {b} @why {he} was so {x}
{b} was hired by {a} @why {he} was so {x}
busy/skilled

{a} trusted {b} @why {he} was so {x}
{b} was trusted by {a} @why {he} was so {x}
gullible/honest

{a} envied {b} @why {he} was so {x}
{b} was envied by {a} @why {he} was so {x}
poor/rich

{a} asked {b} the way @why {he} was a {x}
{b} was asked the way by {a} @why {he} was a {x}
stranger/guide

{a} taught {b} to [swim|sail|dance] @why {he} was a {x}
{b} learned to [swim|sail|dance] from {a} @why {he} was a {x}
master/beginner

{a} lent {b} some money @why {he} was so {x}
{b} borrowed some money from {a} @why {he} was so {x}
rich/poor

{a} copied {b} @why {he} was so {x}
{b} was copied by {a} @why {he} was so {x}
lazy/clever

{a} beat {b} at [chess|cards] @why {he} was so {x}
{b} lost to {a} at [chess|cards] @why {he} was so {x}
careful/careless skilled/clumsy

{a} admired {b} @why {he} was so {x}
{b} was admired by {a} @why {he} was so {x}
modest/famous

{a} cheated {b} at the market @why {he} was so {x}
{b} was cheated by {a} at the market @why {he} was so {x}
greedy/trusting

{a} obeyed {b} @why {he} was so {x}
{b} was obeyed by {a} @why {he} was so {x}
timid/powerful

{a} lifted {b} over the wall @why {he} was so {x}
{b} was lifted over the wall by {a} @why {he} was so {x}
strong/small
"""

_THINGS = """
{a} did not fit into {b} @why {he} was too {x}
{b} could not hold {a} @why {he} was too {x}
big/small wide/narrow
lamp vase clock drum teapot mirror | basket box bag chest drawer suitcase

{a} would not go through {b} @why {he} was too {x}
{b} would not let {a} through @why {he} was too {x}
wide/narrow big/small
table bed piano cupboard bench | door gate window tunnel

{a} could not pass under {b} @why {he} was too {x}
{b} stopped {a} @why {he} was too {x}
tall/low
boat ship cart wagon | bridge arch gate branch

<p:job> poured the [water|milk|tea] from {a} into {b} until {he} was {x}
<p:job> filled {b} with the [water|milk|tea] from {a} until {he} was {x}
empty/full
jug bucket bottle kettle | cup bowl glass pot

{a} could not be cut with {b} @why {he} was too {x}
{b} did not cut {a} @why {he} was too {x}
hard/blunt
rope branch plank pumpkin | knife saw axe sword

{a} fell from {b} @why {he} was too {x}
{b} did not hold {a} @why {he} was too {x}
heavy/weak
mirror clock picture lamp coat | nail hook string shelf

{a} could not be read by the light of {b} @why {he} was too {x}
{b} did not help <p:job> to read {a} @why {he} was too {x}
faded/dim
letter book map sign | lamp candle lantern torch

{a} was not covered by {b} @why {he} was too {x}
{b} did not cover {a} @why {he} was too {x}
long/short big/small
table bed bench cart | blanket cloth sheet coat

{a} could not be pushed up {b} @why {he} was too {x}
{b} was no way up for {a} @why {he} was too {x}
heavy/steep
cart barrel piano wagon | hill road path ramp

{a} did not reach {b} @why {he} was too {x}
{b} could not be reached with {a} @why {he} was too {x}
short/high
ladder rope pole hose | window roof branch shelf

{a} would not go into {b} @why {he} was too {x}
{b} could not be pierced with {a} @why {he} was too {x}
blunt/hard
nail screw needle pin | wall board door plank

{a} crushed {b} @why {he} was so {x}
{b} was crushed by {a} @why {he} was so {x}
heavy/fragile
stone barrel bell anchor | basket box hat vase

{a} scratched {b} @why {he} was so {x}
{b} was scratched by {a} @why {he} was so {x}
sharp/soft
key ring knife nail | table spoon door box

{a} chased {b} [round the barn|over the hill] @why {he} was so {x}
{b} was chased by {a} [round the barn|over the hill] @why {he} was so {x}
hungry/fat
dog fox cat wolf | hen rabbit duck hare

{a} ran away from {b} @why {he} was so {x}
{b} drove {a} away @why {he} was so {x}
timid/fierce
hen rabbit duck hare | dog fox cat wolf

{a} did not catch {b} @why {he} was too {x}
{b} was not caught by {a} @why {he} was too {x}
slow/fast
dog fox cat wolf | hare rabbit deer squirrel

{a} did not hear {b} @why {he} was too {x}
{b} was not heard by {a} @why {he} was too {x}
deaf/quiet
dog cow pony donkey | fox cat owl mouse

{a} broke {b} @why {he} was so {x}
{b} was broken by {a} @why {he} was so {x}
strong/weak
goat pony donkey bull | rope chain fence gate

{a} could not climb {b} @why {he} was too {x}
{b} could not be climbed by {a} @why {he} was too {x}
tired/steep
cat goat fox dog | wall hill rock roof

{a} ate {b} [at once |]@why {he} was so {x}
{b} was eaten [at once |]by {a} @why {he} was so {x}
hungry/ripe
hedgehog pig goat pony | apple plum pear peach

{a} did not eat {b} @why {he} was too {x}
{b} was not eaten by {a} @why {he} was too {x}
full/bitter
hedgehog pig goat pony | turnip lemon onion leek
"""

# One woman and one man, in either order.
_GENDER = """
{a} met {b} at the market , and {x} bought some <f:food>
{a} told {b} that {x} had [lost a glove|seen a <n:animal>|found the way]
{a} asked {b} whether {x} [could sing|had slept well|wanted some <f:food>]
{a} saw {b} [at the bridge |]before {x} [left|went home|bought the <f:food>]
when {a} met {b} , {x} [was carrying two buckets|had no coat|was in a hurry]
{a} and {b} waited until {x} [fell asleep|had found the road|was ready]
{a} sang for {b} @why {x} was [sad|happy|bored|tired]
{a} wrote to {b} when {x} was [ill|away|in need of help]
{a} helped {b} , although {x} was [tired|in a hurry|late]
{a} talked to {b} while {x} [washed the plates|cut the <f:food>|mended the fence]
after {a} had found {b} , {x} [went home|began to laugh|sat down on a bench]
{a} stood behind {b} , but {x} [saw nothing|saw the <n:animal>|did not turn round]
{a} danced with {b} until {x} [fell|was tired|had to leave]
{a} left {b} at the [bridge|gate|mill] , and {x} [walked home|waited] alone
{a} ran after {b} until {x} [was out of breath|fell over a stone|reached the gate]
{a} remembered {b} @why {x} had [once sung a song|made a fine soup|told such a good story]
"""

# One thing or animal and several others, in either order.
_NUMBER = """
{a} lay beside {b} until {x} fell [to the floor|into the grass|down the stairs]
{a} lay near {b} , but {x} [soon broke|vanished|got lost]
<p:job> put {a} beside {b} @why {x} looked [old|new|dirty|beautiful]
<p:job> showed <q:job> {a} with {b} , but {x} [cost too much|broke|fell to the floor]
<p:job> [found|moved|hid] {a} with {b} after {x} had [fallen|got wet|got lost]
<p:job> [drew|painted] {a} beside {b} as {x} lay [in the sun|in the grass|on the table]
near {b} <p:job> saw {a} , but {x} soon vanished
{a} came with {b} , and {x} made <p:job> [smile|wait|angry]
"""

_FLOCKS = """
{a} ran past {b} before {x} vanished [into the wood|behind the barn]
{a} watched {b} until {x} [fell asleep|ran off|lay down]
{a} slept near {b} @why {x} felt [cold|safe|tired]
<p:job> fed {a} before {b} @why {x} looked [hungry|thin|ill]
<p:job> heard {a} behind {b} when {x} [came back|woke|ran across the road]
when {a} met {b} , {x} [ran away|stood still|began to play]
{a} followed {b} until {x} [reached the river|grew tired|stopped]
{a} waited for {b} until {x} had [found food|left the road|crossed the river]
"""

SCHEMAS = {"people": _PEOPLE, "strangers": _STRANGERS, "things": _THINGS}
SENTENCES = {"gender": _GENDER, "number": _NUMBER, "flocks": _FLOCKS}
