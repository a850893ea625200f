"""The plots of leisure and chance: concerts, wagers, treasure, snow, a strange visitor.

Written as in `plots`, with the tables of `lore` as in `errands`.
"""

from __future__ import annotations

PASTIMES = {
    "concert": """
{hero} practised a song [on the piano|for the spring concert] , though nobody had asked for it .
In May a concert was planned in {hero.capital} , and {hero} was asked to [sing|perform] .

{hero.His} <kin:relatives.kind/hero> {kin} [promised|wanted] to come and listen .
[Only {hero.his}|{hero.His}] <kin:relatives.kind/hero> {kin} knew how nervous {hero.he} was .

@pause

Two nights before , {hero} dreamed that the hall was full of <crowd:animal.plural> .
{hero} dreamed of a stage where <crowd:animal.plural> sat in the front row and yawned .

@sad:hero

<friend:friends/hero> , {friend.ajob} {friend.job} , [lent|offered] {hero.him} <a charm:thing> as
    a lucky charm .

" [Keep it in your pocket|Hold it tight] , and nothing can go wrong , " {friend.he} said .
@talk:friend

The hall was [packed|half empty] when the curtain [rose|opened] .
First a choir sang , then two brothers played , and after them {hero} stepped forward .
@seen

{hero} looked at {kin} , [took|drew] a deep breath and began .
For a moment {hero.his} [voice|knee] trembled , yet {kin} nodded .
{hero} thought of the {crowd.plural} and had to grin .

[The audience|Everybody] clapped [wildly|politely|until the lamps shook] .
There was not a single sound ; afterwards {kin} wiped away a tear .
@aside

" I never doubted it , " said {kin} .
" Was it the {charm} ? " {friend} wanted to know .

{hero} returned the {charm} to {friend} , who had [forgotten|missed] it .
And the {crowd.plural} ? {hero} never dreamed of the {crowd.plural} again .
""",
    "wager": """
{hero} made a bet with <friend:friends/hero> , {friend.ajob} {friend.job} .
It started with a silly bet between {hero} and <friend:friends/hero> , {friend.ajob} {friend.job} .

Whoever lost would have to give up <a stake:thing> .
The loser had to pay <n:number> {hero.coins} and hand over <a stake:thing> .

{friend} claimed that nobody could carry <load:food.plural> [up the hill|across the square] on one
    finger .
{hero} claimed to be able to eat fifteen <load:food.plural> without drinking .

" [Impossible|Never] , " declared {friend} .
" You may use only one hand , " {friend} added .
@talk:friend
@aside

{hero} rehearsed [secretly|in the cellar] with [smaller|older] {load.plural} .
Half of {hero.town} [knew about it|placed bets] before the week was over .
Even {hero.his} <kin:relatives.kind/hero> {kin} called it [childish|nonsense] .

On Sunday a crowd gathered ; someone even sold lemonade .
@seen

Everything went smoothly until [a bat|a wasp] [flew past|landed on {hero.his} nose] .
{hero} counted aloud : thirteen , twelve , eleven , ten .
@told:friend

[Just before the end|At the last moment] {hero} sneezed , and the {load.plural} rolled away .
{hero} managed it , although the {load.plural} were [heavier|riper] than expected .

@aside
The judges debated whether the {load.plural} had counted .

In the end {friend} kept the {stake} , but [cooked|bought] supper for everybody .
In the end the {stake} went to {hero} , who lent it to {friend} on Sundays .
Both claimed the {stake} , so they cut cards , and {friend} cheated .
""",
    "treasure": """
Between the pages of an old atlas {hero} discovered a chart of <place:abroad/hero> .
While cleaning the attic , {hero} found a page with a drawing of <place:abroad/hero> .

A cross marked [a palm|a cave|the bank] beside the {place.river} .
Under the drawing somebody had written : " [Dig|Search] beside the {place.river} . "

{hero} showed it to <friend:friends/hero> , {friend.ajob} {friend.job} who had once travelled there
    .
Only <friend:friends/hero> , {friend.ajob} {friend.job} , could be trusted with the secret .

" [Is it genuine|Who drew this] ? " {friend} wondered .
" How far is {place} from {hero.town} ? " was all {friend.he} said .
@talk:friend

They borrowed <a tool:luggage> , two spades and a donkey .
All they needed was <a tool:luggage> , a spade and some luck .

@pause

After <n:number> days on foot they reached {place.country} , where everything is paid in
    {place.coins} .
The journey to {place} lasted <n:number> days , and [their boots|the donkey] suffered most .

They dug [until their hands hurt|by moonlight|in turns] and found only [roots|rusty nails] .
{friend} pushed the {tool} into the mud , and it struck something hard .
@seen

It was a trunk , and in it lay <a find:thing> .
A rotten trunk held three rags , a bottle and <a find:thing> .

" Is that all ? " sighed {hero} .
" The {find} must be worth <price:number> thousand {place.coins} , " {friend} guessed .

@pause

The bank in {place} refused the {find} politely .
An expert from {place.country} examined the {find} and [laughed|yawned|frowned] .

So the {find} ended up in a museum of {hero.capital} , next to the {tool} .
{hero} and {friend} share the {find} : each keeps it for half a year .
After {n} days they were home , and the {find} serves as a doorstop .
""",
    "snow": """
In [January|February|December] it snowed so heavily that {hero} and <friend:friends/hero> were
    trapped in a cabin .
Snow blocked the pass , and {hero} had to spend the weekend in a hut with <friend:friends/hero> .

They counted their supplies : <n:number> <store:food.plural> , a candle and three matches .
All the food they had was <n:number> <store:food.plural> and some {friend.likes} .

{friend} [lit|struck] a match , but the wood was damp .
The last match broke , so they wrapped themselves in <cover:colour> blankets .

@pause

To pass the time they [told jokes|invented riddles|played a match of chess] .
{friend} described {friend.town} in summer , and {hero} listened .
@talk:friend

" What has [four|three] legs and cannot walk ? " " A [table|chair] ! "
" If I get home , I shall never complain about {hero.town} again , " {hero} vowed .

In the middle of the night <a guest:animal> scratched at the door .
At dawn they noticed the tracks of <a guest:animal> .

@seen

They shared the {store.plural} with the {guest} .
The {guest} led them [downhill|along the stream] , stopping whenever they fell behind .
@aside

A rescue party , guided by {hero.his} <kin:relatives.kind/hero> {kin} , met them halfway .
Luckily {hero.his} <kin:relatives.kind/hero> {kin} had already alarmed the whole valley .

" [You look awful|There you are] , " said {kin} .
{kin} [hugged|scolded] them both and poured hot punch .

Every winter they leave {n} {store.plural} outside for the {guest} .
Nobody believes the part about the {guest} , but {friend} kept a photograph .
""",
    "visitor": """
A stranger from <place:abroad/hero> got lost in {hero.town} and rang at {hero} 's door .
Late in the evening a traveller who came from <place:abroad/hero> asked {hero} for shelter .

The stranger spoke [slowly|with an accent] and wore <a coat:colour> cloak .
It was a lady in <a coat:colour> cloak who spoke [slowly|very fast] .

" Do you accept {place.coins} ? " the guest asked .
" In {place.country} we always [knock three times|bring salt] , " the guest explained .

{hero} [served|warmed up] {hero.likes} , and {hero.petname} , the {hero.pet} , [sniffed at the
    cloak|was delighted] .
{hero.His} <kin:relatives.kind/hero> {kin} , who was visiting , [made up a bed|stared at the cloak]
    .

@pause

The guest praised {hero.his} <own:belongings/hero> and asked where it came from .
The guest had a bag containing <a gift:thing> , a comb and dried <snack:food.plural> .

They talked about [bridges|grandmothers|the {place.river}] until the fire went out .
The guest drew the {place.river} and all its bends on a napkin .
@told:hero

At sunrise the bed was empty , and on the pillow lay [a note|six coins] .
When {hero} woke up , the guest in the {coat} cloak had vanished .
@sad:hero

The neighbours had seen [nothing at all|{coat.a} {coat} cloak near the station] .
@aside

Weeks later <friend:friends/hero> , {friend.ajob} {friend.job} , returned from {place.country} .
Then <friend:friends/hero> reported something odd from {place} .

" On the market square there is a statue in {coat.a} {coat} cloak , " said {friend} .
" Everybody in {place} knows the lady in the {coat} cloak , " said {friend} .

" [She|That one] died ninety years ago , " {friend.he} added .
{hero} [shivered|smiled] and [locked|bolted] the door .
{hero} still sets a second plate whenever somebody mentions {place} .
""",
}
