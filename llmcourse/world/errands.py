"""The plots of work and duty: stalls, gardens, lessons, broken bridges, ill friends, repairs.

Written as in `plots`. They draw on the knowledge base through tables that hold what may be told of
each person (`lore`): `{hero.His} <kin:relatives.kind/hero> {kin}` names a relative with the word
for them, `<own:belongings/hero>` a thing the hero owns.
"""

from __future__ import annotations

ERRANDS = {
    "stall": """
Every [Saturday|Monday|month] {hero} sold <crop:food.plural> and old things at the market of
    {hero.town} .
Because money was short , {hero} took a stall at the market and offered <crop:food.plural> .

On the table lay <a first:thing> , <a second:luggage> , three candles and a pile of {crop.plural} .
Besides the {crop.plural} there were only three things : <a first:thing> , <a second:luggage> and a
    broken chair .

[Nobody stopped|Business was slow|Hardly anybody came] until [noon|the church bell rang twice] .
The first [customer|visitor] , a man [who|that] [smelled of smoke|wore two hats] , only wanted to
    talk about the weather .
@aside

Then <friend:friends/hero> , {friend.ajob} {friend.job} whom {hero} had known since school ,
    stopped [there|at the stall] .
Around noon <friend:friends/hero> [appeared|turned up] , {friend.ajob} {friend.job} with
    {friend.his} own ideas about prices .

" What does the {first} cost ? " {friend} said , [pointing at it|turning it over] .
" Is that {first} [really old|from {hero.country}] ? " {friend} wanted to know .

" [Six|Twelve|Fifteen] {hero.coins} , because it belonged to a [duke|famous singer] , " [lied|joked]
    {hero} .
" For you only [five|seven|nine] {hero.coins} , " [replied|offered] {hero} .
@talk:friend

{friend} [counted {friend.his} coins|scratched {friend.his} chin] , but took the {second} instead .
After some bargaining {friend} paid [half|a third] of that and also got three {crop.plural} .

@aside
At the end of the day the {first} was [still there|left over] , unlike the {crop.plural} .

{hero} carried the {first} home and [put it on a shelf|gave it to {hero.his} {hero.kin}
    {hero.sibling}] .
With the money {hero} [ordered|got] {hero.likes} at the inn , and the {first} stood on the table .
""",
    "garden": """
Behind the house in {hero.town} {hero} planted <crop:crop.plural> in [straight|three] rows .
In [March|April] {hero} dug a garden and planted <crop:crop.plural> [there|beside the shed] .

A spring behind the shed gave enough water [for everything|even in August] .
{hero.He} watered them [daily|every evening] and pulled the weeds [patiently|while humming] .
@aside

When <friend:friends/hero> , {friend.ajob} {friend.job} , heard of it , {friend.he} laughed .

" Nothing grows [in this soil|under that palm] , " said {friend} .
" Why not simply [buy|order] {crop.plural} [like everybody else|in {hero.capital}] ? "

[However|Strangely] , [each|every] morning some leaves were [nibbled|torn|missing] .
Something that came at night [liked|nibbled] the {crop.plural} .
@sad:hero

{hero} [built|put up] a fence which was [three feet high|made of old planks] .
{hero} hung [tins|little bells] between the trees , so that [nothing|nobody] could pass quietly .
@seen

At midnight {hero.petname} , the {hero.pet} , made a noise , and {hero} saw <a guest:animal> .
Under the full moon sat <a guest:animal> , [chewing|quite calm] .

" So it is you ! " {hero.he} [whispered|exclaimed] .
{hero} did not chase the {guest} [away|off] , for it looked [thin|hungry] .

From that day one row of {crop.plural} belonged to the {guest} .
They made a deal : the {guest} got the outer row , and {hero} [kept|picked] the others .

@aside
In autumn {hero} invited {friend} to taste the {crop.plural} .

" [Delicious|Excellent] ! I take everything back , " {friend} admitted .
{friend} asked who had eaten the outer row , and {hero} [winked|told {friend.him} about the
    {guest}] .
""",
    "lesson": """
On rainy days {hero} taught the village children [how to count|the alphabet|to draw] .
Since the teacher was away , {hero} looked after the class for [three days|a month] .

They counted <what:animal.plural> in a picture book : [three , four , five|six , seven , eight] .
The first task was to draw <n:number> <what:animal.plural> [side by side|without lifting the
    pencil] .

" Which letter comes after [B|C|D] ? " {hero} asked .
" How many [legs|ears|feet] do three {what.plural} have together ? " {hero} asked .

A girl [who sat in the corner|with freckles] [raised her hand|answered at once] .
The boy [whom nobody noticed|beside the window] [guessed|whispered something] .
@aside

" [Correct|Almost|Well done] , " {hero} said , " [go on|now try the next one] . "
[Nobody|Not a single child] laughed , because [everyone|they all] had made that mistake .
@told:hero

During the break <friend:friends/hero> , {friend.ajob} {friend.job} , brought <a toy:thing> .
At ten o'clock <friend:friends/hero> [dropped in|arrived] and showed them <a toy:thing> .

The children [passed the {toy} around|wanted to touch the {toy}] .
" Is it [yours|magic] ? " [they|the smallest] asked {friend} .
@talk:friend

Later each child [wrote|copied] a sentence about the {toy} .
@aside

The best [sentence|drawing] showed all the {what.plural} [dancing|at a party] , led by {friend} .
One picture had {what.plural} in it and [something like a cloud|a tiny {hero.pet}] .
At home time they still talked about {friend} and the {toy} .

{hero} hung the picture with the {what.plural} [over {hero.his} desk|in the hall] .
Tomorrow , {hero} promised , they would [measure|paint] the {toy} .
""",
    "bridge": """
After the flood the bridge across the {hero.river} was closed , and {hero} could not get to work .
The old bridge across the {hero.river} had [collapsed|lost three planks] .

On the opposite bank lived <friend:friends/hero> , {friend.ajob} {friend.job} .
So <friend:friends/hero> , {friend.ajob} {friend.job} , who had business in {hero.town} , was stuck
    on the far bank .

@pause

They [shouted|waved] across , but the current was so loud that neither understood the other .
{friend} tied a note to a stone and [flung|tossed] it across the {hero.river} .

The note [said|asked] : " Please send <first:food.plural> and <a second:luggage> . "
It was a list : <first:food.plural> , candles , string and <a second:luggage> .

{hero} [sent|floated] the {first.plural} over [on a raft|in a barrel] .
{hero} built a raft [from|out of] four planks , loaded the {first.plural} and pushed it off .
@told:hero

Halfway it began to [turn|spin|sink] , and {friend} fished it out with a net .
A [swimming|curious] {hero.pet} , namely {hero.petname} , followed it .
@aside

[Meanwhile|By Friday] the mayor had [hired|sent] <n:number> builders .
[Meanwhile|Slowly] <n:number> builders [arrived|set to work] .

" How long will it take ? " people asked . " [Three|Nine] days , " answered the [oldest|foreman] .
All {n} of them drank tea first and argued about [nails|money] .

@seen
When the bridge was [repaired|finished] , {friend} was the first to cross .

{friend.He} brought back the {second} and what remained of the {first.plural} .
{friend} wore the net like a [scarf|crown] and carried the {second} on {friend.his} head .
A plaque on the bridge names {hero} , {friend} and the {second} .
""",
    "illness": """
For three days <friend:friends/hero> had not been seen in the street , and {hero} [was worried|began
    to wonder] .
Poor <friend:friends/hero> , {friend.ajob} {friend.job} , had caught a [cold|fever] .

{hero} [asked|called] a doctor , who [prescribed|ordered] [rest|bitter drops] and <cure:food.plural>
    .
{hero.His} <kin:relatives.kind/hero> {kin} knew a remedy : <cure:food.plural> [boiled in milk|with
    pepper] .

Therefore {hero} went [from shop to shop|to three shops] and asked for {cure.plural} .
The grocer [apologised|shrugged] : {cure.plural} were out of season .
@aside

Finally a woman [who kept bees|with a wooden leg] gave {hero.him} [a dozen|some] for nothing .
Finally {hero} found them at an inn [where sailors slept|that had no name] .

" [Are you awake|Do you feel better] ? " {hero} asked {friend} .
" I brought {cure.plural} , " {hero} announced .

" Not {cure.plural} , anything but that , " groaned {friend} .
" Must I really swallow {cure.plural} ? " {friend} complained .
@talk:friend

{friend} took [a spoonful|a bite] , [made a face|coughed] and fell asleep .
{friend} ate {cure.plural} for breakfast , lunch and supper .
@aside

In the fever {friend} saw <a vision:animal> [sitting on the lamp|wearing glasses] .
That night {friend} dreamed of <a vision:animal> that spoke [Latin|in rhymes] .

On the [fifth|third] day the fever was gone , and so was the {vision} .
Soon {friend} [was|felt] [healthy|fit] enough to [work|walk] , but missed the {vision} a little
    .

@glad:friend

Ever since , {friend} cannot [smell|stand] {cure.plural} .
{friend} swears that it was the {cure.plural} ; {hero} suspects the {vision} .
""",
    "repair": """
{hero} was good with tools , so people brought {hero.him} whatever had broken : <a work:luggage> ,
    a radio , a bicycle .
Above the workshop hung a sign , " Repairs " , and the first job was <a work:luggage> .

It belonged to <friend:friends/hero> , {friend.ajob} {friend.job} [who|that] never threw anything
    away .
The owner was <friend:friends/hero> , {friend.ajob} {friend.job} , who needed it before the
    holidays .

" Can you save it ? " {friend.he} began .
" It was fine until somebody sat on it , " {friend} explained .
@talk:friend

A tiny [spring|nail|screw] was missing , no longer than a fingernail .
The handle had cracked , and inside were [crumbs|two dead flies] .

{hero} searched three drawers and then <box:colour> tins full of [screws|buttons] .
{hero} kept such parts in <box:colour> jars , sorted by size .

@pause

{hero.His} own <own:belongings/hero> also needed care , but that had to wait .
With {hero.his} tongue between {hero.his} teeth , {hero} glued , filed and hammered .

@seen

On the second attempt the {work} [worked|looked perfect|was whole again] .
Unfortunately the {work} fell [from the bench|off the table] , and everything started over .
@aside

" [Marvellous|Incredible] ! What do I owe you ? " {friend} [said|inquired] .
" Only {hero.likes} , " replied {hero} .

{friend} paid [seven|nine|eleven] {hero.coins} and carried the {work} home like a baby .
{friend} was so pleased that {friend.he} polished the {work} every Sunday .
The {box} [tins|jars] stayed open until somebody knocked them over .
""",
}
