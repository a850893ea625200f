"""TeX formulas as MathML, which browsers show without a script, a font or a network.

latex2mathml parses a formula, and its result is cleaned here. Its own `convert` turns `&lt;` back
into `<`, so a formula could hold a live tag, and it supports commands for links and styles, and
macros that grow without end. A formula that it cannot convert is shown as its source.
"""

import functools
import html
import re
from xml.etree.ElementTree import Element, tostring

from latex2mathml.converter import convert_to_element

LONGEST = 1_000  # characters; longer text is no formula of ours and takes the converter long
MACROS = re.compile(r"\\(newcommand|renewcommand|newenvironment|DeclareMathOperator|[egx]?def)\b")
ARG = re.compile(r"\\arg(?![A-Za-z])")  # a name of a function that latex2mathml does not know
ALIGNED = re.compile(r"\\(begin|end)\{aligned\}")  # nor this; `split` is laid out the same
ATTRIBUTES = {
    "accent", "accentunder", "columnalign", "columnlines", "display", "displaystyle", "fence",
    "form", "linethickness", "lspace", "mathvariant", "maxsize", "minsize", "movablelimits",
    "notation", "rowlines", "rowspacing", "rspace", "scriptlevel", "separator", "stretchy",
    "symmetric", "width", "xmlns",
}  # fmt: skip


@functools.lru_cache(maxsize=4096)
def mathml(tex: str, block: bool = False) -> str:
    """Return a formula as MathML, or its escaped source where it cannot be converted.

    block: on a line of its own.

    >>> mathml("x<1").replace(' xmlns="http://www.w3.org/1998/Math/MathML"', "")
    '<math display="inline"><mrow><mi>x</mi><mo>&lt;</mo><mn>1</mn></mrow></math>'
    >>> mathml("x_< y_")
    '<code>x_&lt; y_</code>'
    """
    source = f"<code>{html.escape(tex)}</code>"
    if len(tex) > LONGEST or MACROS.search(tex):
        return source
    tex = ALIGNED.sub(r"\\\1{split}", ARG.sub(r"\\operatorname{arg}", tex))
    try:
        made = convert_to_element(tex, display="block" if block else "inline")
        for element in made.iter():
            _clean(element)
            if element.tag == "mi" and element.text and element.text[0] in "\\&":
                return source  # a command or an alignment that it passed over
        _space_functions(made)
        return tostring(made, encoding="unicode")
    except Exception:  # it has no error of its own for all that can be wrong; nested too deep
        return source


def _space_functions(element: Element) -> None:
    """Put a thin space between a function's name and what it is applied to without brackets."""
    for index in reversed(range(len(element) - 1)):
        name, following = element[index], element[index + 1]
        base = name[0] if name.tag in ("msub", "msup", "msubsup") and len(name) else name
        named = base.tag == "mi" and (base.text or "").isalpha() and len(base.text or "") > 1
        if element.tag == "mrow" and named and following.tag not in ("mo", "mspace"):
            element.insert(index + 1, Element("mspace", width="0.167em"))
    for child in element:
        _space_functions(child)


def _clean(element: Element) -> None:
    """Replace entities by their characters, and remove every attribute that links or styles."""
    element.text = html.unescape(element.text) if element.text else element.text
    for name in set(element.attrib) - ATTRIBUTES:
        del element.attrib[name]
