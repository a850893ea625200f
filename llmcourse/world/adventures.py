"""The plots that lead out of the house: things lost and stolen, journeys, animals, races, storms.

Written as in `plots`.
"""

from __future__ import annotations

ADVENTURES = {
    "lost": """
2: One [morning|evening|afternoon|day] {hero} could not find {hero.his} [old|new|favourite|best]
    <item:losses/hero> .
[Then|One day] something was [missing|gone] : {hero.his} [old|new|favourite] <item:losses/hero> .

It [was|had been] a present from {hero.his} {hero.kin} {hero.sibling} .
{hero.He} had [bought|found|won] it in <place:place> [long ago|four years before|in better days] .
It was [worth|only worth] a few {hero.coins} , but {hero.he} [loved|needed] it .

2: @sad:hero
@aside

{hero} looked [under the bed|behind the stairs|in every drawer|in the kitchen] , but [found|saw]
    nothing .
{hero.He} searched the [whole house|garden|cellar|kitchen] [twice|for an hour|until dark] .
{hero.He} asked [the neighbours|everyone|the guard] , but no one [knew anything|had seen the {item}]
    .

Then <friend:friends/hero> , {hero.his} [old |good |best |]friend , [came by|came to help|knocked at
    the door] .
Luckily <friend:friends/hero> [, {friend.ajob} {friend.job} ,|] was [a good friend|there] and helped
    .
In the end {hero} asked <friend:friends/hero> , {friend.ajob} {friend.job} , for [help|advice] .

@talk:friend
" [When|Where] did you [see|use|have] the {item} last ? " asked {friend} .
" We will find your {item} , " [said {friend}|{friend.he} said] . " [Do not worry|I promise|Come
    along] . "

" I [had|used|left] it [by the sea|in the garden|at the market|at the mill] , I think , " {hero}
    [said|answered] .
{hero} [thought for a while|shook {hero.his} head|could not remember] .
@aside

So [the two of them|the two|they] [went|walked] [to the sea|out again|down the road] [to look|and
    looked] .
They [looked|searched] [everywhere|for hours|until the sun went down] .

There , [under a bench|behind a wall|in the grass|by the road] , [lay|was] the {item} .
At last {friend} [found|saw] the {item} [in a hole|under a tree|on a cart|under the stairs] .
It turned out that {hero.petname} , {hero.his} {hero.pet} , had [hidden|taken] the {item} .

2: @glad:hero
{hero} thanked {friend} [twice|again and again|with all {hero.his} heart] .

From then on {hero} [kept the {item} in a box|never lost the {item} again] .
To thank {friend} , {hero} cooked {friend.likes} [that night|for {friend.him}] .
And {friend} [never forgot|often spoke of] the day of the lost {item} .
""",
    "journey": """
That [spring|summer|autumn|winter] {hero} [decided|wanted|planned] to travel to <place:abroad/hero>
    .
For [a year|two years|a long time] {hero} had [wanted|hoped|saved] to see <place:abroad/hero> .

It is [a town|far away] in {place.country} , [by|near] the river {place.river} .
People there pay [for everything |]with {place.coins} , not with {hero.coins} .
Nobody {hero} knew had ever [been to|seen] {place.country} .

{hero} [packed|took] <a luggage:luggage> and [some bread|a coat|four shirts] [and left|and said
    goodbye] .
{hero.His} {hero.kin} {hero.sibling} [gave|lent] {hero.him} <a luggage:luggage> for the
    [road|trip] .

{hero.He} went by [train|boat|cart] , and it took [two|four|eight] [days|weeks] .
The [train|boat] was [late|slow|full] , and the [trip|road] was [long|hard|dull] .
@aside

In {place} {hero.he} [met|got to know] <friend:friends/hero> , {friend.ajob} {friend.job} from
    {friend.town} .
By chance <friend:friends/hero> , {friend.ajob} {friend.job} {hero.he} knew , was in {place} too .

@talk:friend
" Have you seen the {place.river} yet ? " {friend.he} asked .
" The [food|market|sea|road] [here|in {place}] is [wonderful|too expensive|famous] , " said {friend}
    .

Together they [walked by the {place.river}|went to the market|saw the old town|ate {friend.likes}] .
@aside

For {hero.his} {hero.kin} {hero.sibling} , {hero} bought <a gift:thing> .
In a [small|dark|busy] shop {hero} found <a gift:thing> for {hero.his} {hero.kin} {hero.sibling} .

It cost [two|four|eight|ten|twenty] {place.coins} .
The seller wanted [ten|twenty] {place.coins} , and {hero} paid [four|eight|them] .

@aside
@sad:hero
{hero} [wrote|sent] a letter home and told {hero.his} {hero.kin} about {place} .

After [a week|two weeks|a month] it was time to go home to {hero.town} .
Then the money was gone , and {hero} [went|travelled] home to {hero.country} .

{hero.sibling} was [waiting|there] at the [door|gate] , and {hero} gave {hero.kinhim} the {gift} .
" This {gift} is from {place} , " {hero} [said|told {hero.kinhim}] , and {hero.sibling}
    [smiled|laughed] .

To this day the {gift} from {place.country} [hangs on|stands by] the wall .
And {friend} ? [They still write to each other|{friend.He} still writes letters] every week .
The {luggage} was [lost|left] in {place} , but no one [missed it|was sad about that] .
""",
    "rescue": """
On the [road|way] home from {hero.capital} , {hero} [found|saw] [a hurt|a young|a lost|an injured]
    <animal:animal> .
One [cold|wet|dark] [morning|night] {hero} heard <a animal:animal> [cry|call] in the [wood|garden] .

It [was weak and|was] [cold|hungry|afraid] , and it could not [stand|move|see well] .
Its [leg|foot] was [broken|hurt|caught in a trap] .
@sad:hero

{hero} [wrapped it in a coat and|] carried it [home|to {hero.town}] .
{hero} [put|laid] it in a [box|basket] and took it home .

{hero.petname} , the {hero.pet} , [looked|stared] at the {animal} [all night|in surprise] .
{hero} gave the {animal} [some water|a piece of bread|warm milk] and a name : <named:petname> .
@aside

{hero} [called|asked for] <friend:friends/hero> , who knew [more|much] about animals .
The next day <friend:friends/hero> , {friend.ajob} {friend.job} , came to see it .

" [This|The] {animal} will [live|be well] , " [said {friend}|{friend.he} said] , " but it needs
    [rest|time] . "
" Keep it warm , " [said {friend}|{friend.he} said] , " and [wait|give it food] for [two|four] weeks
    . "
@talk:friend

@aside
@seen

[Two|Four|Eight] weeks later the {animal} [was strong again|could run again] .
[Slowly|Day by day] the {animal} [grew strong|was less afraid] .

So {hero} and {friend} took it [back to the wood|to the river {hero.river}] [and opened the box|] .
{hero} [opened|unlocked] the door , and the {animal} [ran|was gone] .

@sad:hero
@aside

Sometimes {hero} [still |]sees the {animal} by the road and [waves|calls its name] .
A year later the {animal} came back with [two|four] young ones .
And that is why the [house|pub] in {hero.town} is called The {animal.cap} .
""",
    "contest": """
Every [spring|summer|autumn] there was a [race|contest] in {hero.town} , and the prize was <a
    prize:thing> .
That [spring|summer] {hero.town} held a [boat race|horse race] , and the winner would get <a
    prize:thing> .

{hero} had [never won|always dreamt of it|come last twice] .
{hero.His} {hero.kin} {hero.sibling} had won it [once|twice|four times] .
@aside

This time <friend:friends/hero> , {friend.ajob} {friend.job} , [wanted to win|took part] too .
Only <friend:friends/hero> , {hero.his} [old |good |]friend , was [faster|better] .

" I [will|must] win the {prize} , " said {hero} , " [wait and see|just once] . "
" You [will|can] never win the {prize} , " {hero.his} {hero.kin} {hero.sibling} [said|laughed] .
@talk:friend

For [two|four] weeks {hero} [trained|got up at four|ate only {hero.likes}] .
@aside

[At last|Then] the [big |great |]day came , and [the whole|all of] {hero.town} was there .
On the day of the [race|contest] the sun was [hot|bright] and the road was [dry|full] .
@seen

{hero} was [fast|slow|first] at [the start|first] , but then {friend} [came close|fell] .
{friend} [started well|was ahead] , but then [{friend.he} fell|the wind blew] .

In the end {hero} won , [and {friend} came second|with {friend} right behind] .
In the end {friend} won the {prize} , [and {hero} came second|by a hair] .
Nobody won : {hero} and {friend} [crossed the line|finished] together .

@glad:friend
@talk:friend

The {prize} now [stands|hangs] in [{friend} 's house|the town hall of {hero.town}] .
They [sold|shared] the {prize} and [bought|ate] {hero.likes} and {friend.likes} for [everyone|all] .
""",
    "storm": """
One [morning|day] {hero} and <friend:friends/hero> [took|hired] a [small|red|blue|white] boat and
    went to sea .
With <friend:friends/hero> , {friend.ajob} {friend.job} , {hero} wanted to sail to
    <place:abroad/hero> .

They [had|took] <n:number> bottles of water , some {hero.likes} and <a luggage:luggage> .
{hero.petname} , the {hero.pet} , had to stay at home , but they took <a luggage:luggage> along .

At first the sea was [calm|blue|as still as glass] .
The sun was [hot|bright|low] over the sea , and {hero} [sang|was glad] .

" Will it rain ? " asked {friend} .
@talk:friend

Then the wind [blew|came up] , and the [sky|sea] [was|turned] [black|grey|dark] .
Suddenly there was [thunder|a storm] , and [rain|waves] came [through|over] the sails .

The {luggage} [fell|went] [into the sea|over board] .
{friend} held [on to |]the {luggage} with [two hands|bare hands] .
" [Throw|Hold] the {luggage} ! " {hero} [cried|shouted] .

@sad:friend
{friend} [was too weak to stand|could hear the wind and the sea|held on for an hour] .
{friend.He} [thought of home|knew no way home|knew only one song] .

[Two|Four|Eight] hours [went by|passed] , and they [saw|could see] no [land|light] .
The boat had a hole , and [water|the sea] came in .

At last they saw [a light|the coast of {hero.country}|the tower of {hero.capital}] .
A ship from <port:place> in {port.country} [found them|came by] and took them on board .

@glad:friend

Back in {hero.town} , {hero.sibling} , {hero.his} {hero.kin} , [was waiting|made them weak tea] .
@aside

The {luggage} was never [found|seen] again , but [no one cared|they were alive] .
{hero} never went to sea again , but {friend} [did|still sails] .
""",
    "thief": """
In {hero.town} things [began to go|went] missing : first <a loot:thing> , then a pair of
    [shoes|gloves] .
One night someone stole <a loot:thing> from the [shop|house] of a neighbour .

The guard asked {hero} [where {hero.he} had been|what {hero.he} knew] .
@aside

" [Who|What thief] would steal such a thing ? " {hero} [said|asked] .
" I [saw|heard] [no one|someone] [on the stairs|in the night] , " {hero.his} {hero.kin}
    {hero.sibling} said .

{hero} [waited|sat] behind the [stairs|door|wall] for [two|four] nights .
With {hero.petname} , the {hero.pet} , {hero} [watched the house|followed the tracks] .
@seen

@aside
[The|That] night was [dark|cold] and there was no [sound|moon] .

Then {hero} saw [two eyes|a tail|a shadow] : it was <a animal:animal> !
At [four|eight|two] [in the morning|o'clock] the thief came . It was <a animal:animal> !

In its hole lay the {loot} , [four spoons|eight coins|a knife] and [a|one] pair of shoes .
It had the {loot} [in its mouth|round its neck] and [ran|did not look back] .

[The guard laughed|Everyone laughed] , and the {loot} [came|went] [home|back] .
2: @glad:hero
@talk:hero

Since then people in {hero.town} [lock|close] their doors and [feed|greet] the {animal} .
The {animal} still [lives|steals] in {hero.town} , but nobody [minds|would harm it] .
""",
}
