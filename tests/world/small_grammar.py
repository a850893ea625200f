"""A small grammar whose documents can all be listed."""

from llmcourse.world.engine import grammar

PEOPLE = grammar.Domain(
    ("name", "he"), (("Ann", "she"), ("Bob", "he"), ("Cy", "he")), (3.0, 2.0, 1.0)
)
FRIENDS = {
    "Ann": grammar.Domain(("name", "he"), (("Bob", "he"),), (1.0,)),
    "Bob": grammar.Domain(("name", "he"), (("Ann", "she"), ("Cy", "he")), (1.0, 3.0)),
    "Cy": grammar.Domain(("name", "he"), (("Ann", "she"),), (1.0,)),
}
THINGS = grammar.Domain(("name", "a"), (("egg", "an"), ("cup", "a"), ("pen", "a")), (2.0, 1.0, 1.0))
SMALL = {
    "story": "@start @end </s>",
    "start": "2: <hero:person> [sat|sat down|3: ran] .\nThe [old |]man met <hero:person> .",
    "end": """
Then <friend:friends/hero> came , and {hero} saw <a it:thing> .
Then <friend:friends/hero> left {hero} .

[{hero} [ran|ran off|sat] .|{friend} [ran|sat] .|] The end .
3: The man slept , and {hero.he} too .
""",
}


def small(texts=SMALL):
    return grammar.Rules(texts, {"person": PEOPLE, "thing": THINGS}, {"friends": FRIENDS})
