r"""LaTeX formulas as MathML, which browsers draw without a library.

It knows what formulas of operations are made of: letters and numbers, sub- and superscripts, fractions,
roots, bars and hats, operators, names, Greek. What it does not know it shows as text.
"""

from __future__ import annotations

import re
from html import escape

_TOKEN = re.compile(r"\\[a-zA-Z]+\*?|\\.|[A-Za-z]{3}\w*|[0-9]+(?:\.[0-9]+)?|\s+|.", re.DOTALL)
_GREEK = {
    "alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ϵ", "varepsilon": "ε", "zeta": "ζ",
    "eta": "η", "theta": "θ", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ", "pi": "π",
    "rho": "ρ", "sigma": "σ", "tau": "τ", "phi": "ϕ", "varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω",
    "Gamma": "Γ", "Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Sigma": "Σ", "Phi": "Φ", "Psi": "Ψ",
    "Omega": "Ω", "ell": "ℓ",
}  # fmt: skip
_OPERATORS = {
    "cdot": "·", "times": "×", "odot": "⊙", "otimes": "⊗", "circ": "∘", "div": "÷", "pm": "±", "mp": "∓",
    "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "equiv": "≡",
    "in": "∈", "notin": "∉", "to": "→", "rightarrow": "→", "leftarrow": "←", "mapsto": "↦", "mid": "∣",
    "partial": "∂", "nabla": "∇", "infty": "∞", "top": "⊤", "mathsf{T}": "⊤", "ldots": "…", "dots": "…",
    "cdots": "⋯", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈", "rceil": "⌉", "lVert": "‖", "rVert": "‖",
    "lvert": "|", "rvert": "|", "langle": "⟨", "rangle": "⟩", "wedge": "∧", "vee": "∨", "neg": "¬",
    "sum": "∑", "prod": "∏", "int": "∫", "prime": "′", "propto": "∝", "sim": "∼", "ast": "∗", "star": "⋆",
    "lbrace": "{", "rbrace": "}", "{": "{", "}": "}", "_": "_", "%": "%", "#": "#", "&": "&", "$": "$",
    "|": "‖", "Vert": "‖", "vert": "|", "colon": ":", "mathbb{1}": "𝟙", "forall": "∀", "exists": "∃",
}  # fmt: skip
_NAMES = {
    "log", "exp", "max", "min", "sin", "cos", "tan", "tanh", "sinh", "cosh", "arcsin", "arccos", "arctan",
    "det", "tr", "sign", "lim", "sup", "inf", "arg", "ln", "dim", "gcd",
}  # fmt: skip
_SPACES = {",": "0.17em", ";": "0.28em", ":": "0.22em", "!": "0", "quad": "1em", "qquad": "2em", " ": "0.3em"}
_ACCENTS = {"bar": "¯", "overline": "¯", "hat": "^", "widehat": "^", "tilde": "~", "dot": "˙", "vec": "→"}
_STYLED = ("mathrm", "operatorname", "text", "textrm", "mathtt", "texttt", "mathit", "textit", "mathbf",
           "mathsf", "operatorname*", "mathbb", "mathcal", "boldsymbol", "textbf")  # fmt: skip
_THIN = '<mspace width="0.17em"></mspace>'
_CLOSE = ("(", ")", "}", "]", "", "\\left", "\\right", ",", "\\big", "\\bigl")
_LARGE = ("∑", "∏", "∫")


def mathml(latex: str) -> str:
    r"""A formula in LaTeX as a `<math>` element.

    Example:
        >>> from minigrad.study.report.mathml import mathml
        >>> mathml(r"\frac{1}{N}")
        '<math><mfrac><mn>1</mn><mi>N</mi></mfrac></math>'
        >>> mathml("x^2")
        '<math><msup><mi>x</mi><mn>2</mn></msup></math>'
    """
    parser = _Parser(latex.strip().strip("$"))
    return f"<math>{parser.row()}</math>"


class _Parser:
    """Recursive descent over the tokens; every method returns MathML."""

    def __init__(self, text: str) -> None:
        self.tokens = [t for t in _TOKEN.findall(text) if not t.isspace()]
        self.text = text
        self.spaced = _TOKEN.findall(text)
        self.at = 0

    def peek(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def row(self, end: str = "") -> str:
        """Everything up to `end`, which is taken as well."""
        parts: list[str] = []
        while self.peek() and self.peek() != end:
            if self.peek() in ("}", "\\right") and end != self.peek():
                self.take()  # one too many: leave it out
                continue
            parts.append(self.scripted())
        self.take()
        return "".join(parts)

    def scripted(self) -> str:
        """An atom with its sub- and superscript."""
        token = self.peek().lstrip("\\")
        base = self.atom()
        below = above = ""
        while self.peek() in ("_", "^", "'"):
            mark = self.take()
            if mark == "_":
                below = self.argument()
            else:
                above += "<mo>′</mo>" if mark == "'" else self.argument()
        if above.count("<mo>′</mo>") > 1:
            above = f"<mrow>{above}</mrow>"
        large = any(f">{sign}<" in base for sign in _LARGE[:2])
        both, under, over = ("munderover", "munder", "mover") if large else ("msubsup", "msub", "msup")
        if below and above:
            base = f"<{both}>{base}{below}{above}</{both}>"
        elif below or above:
            base = f"<{under}>{base}{below}</{under}>" if below else f"<{over}>{base}{above}</{over}>"
        applied = token in _NAMES or token.startswith("operatorname")
        return base + _THIN if applied and self.peek() not in _CLOSE else base

    def argument(self) -> str:
        """One atom, or what braces hold, as one element."""
        if self.peek() == "{":
            self.take()
            inner = self.row("}")
            return inner if _single(inner) else f"<mrow>{inner}</mrow>"
        return self.atom()

    def atom(self) -> str:
        token = self.take()
        if token == "{":
            return f"<mrow>{self.row('}')}</mrow>"
        if token.startswith("\\"):
            return self.command(token[1:])
        if token[:1].isdigit():
            return f"<mn>{token}</mn>"
        if token[:1].isalpha():
            return f"<mi>{escape(token)}</mi>"
        if token in "()[]|":
            return f'<mo stretchy="false">{token}</mo>'
        return f"<mo>{'−' if token == '-' else escape(token)}</mo>" if token else "<mrow></mrow>"

    def command(self, name: str) -> str:
        if name in ("frac", "dfrac", "tfrac"):
            return f"<mfrac>{self.argument()}{self.argument()}</mfrac>"
        if name == "sqrt":
            return f"<msqrt>{self.argument()}</msqrt>"
        if name in ("left", "right", "big", "Big", "bigl", "bigr", "Bigl", "Bigr"):
            return self.fence(name)
        if name in _ACCENTS:
            return f'<mover accent="true">{self.argument()}<mo stretchy="false">{_ACCENTS[name]}</mo></mover>'
        if name in _STYLED:
            return self.styled(name)
        if name in _SPACES:
            return f'<mspace width="{_SPACES[name]}"></mspace>'
        if name in _GREEK:
            return f"<mi>{_GREEK[name]}</mi>"
        if name in _NAMES:
            return f"<mi>{name}</mi>"
        if name == "begin":
            return self.environment()
        if name == "\\":
            return '<mspace width="1em"></mspace>'
        if name in ("displaystyle", "limits", "nolimits", "textstyle"):
            return ""
        sign = _OPERATORS.get(name)
        if sign is None:
            return f"<mtext>{escape(name)}</mtext>"
        return f"<mi>{sign}</mi>" if sign in "∂∇∞" else f"<mo>{escape(sign)}</mo>"

    def fence(self, name: str) -> str:
        """`\\left( ... \\right)` as a row whose brackets grow with what they hold."""
        opening = self.bracket()
        if name != "left":
            return opening
        inner = self.row("\\right")
        return f"<mrow>{opening}{inner}{self.bracket()}</mrow>"

    def bracket(self) -> str:
        token = self.take()
        sign = _OPERATORS.get(token[1:], "") if token.startswith("\\") else token
        return "" if sign in (".", "") else f'<mo stretchy="true">{escape(sign)}</mo>'

    def styled(self, name: str) -> str:
        """A name in upright, bold or typewriter letters, spaces and all."""
        word = self.raw()
        if name == "mathbb" and word == "1":
            return "<mn>𝟙</mn>"
        if name == "mathsf" and word == "T":
            return "<mi mathvariant='normal'>⊤</mi>"
        kind = "mtext" if name.startswith("text") or not word.isalpha() else "mi"
        style = {"mathtt": "tt", "texttt": "tt", "mathbf": "bf", "boldsymbol": "bf", "textbf": "bf"}.get(name)
        given = f' class="{style}"' if style else ""
        if kind == "mi" and len(word) == 1 and name not in ("mathit", "boldsymbol"):
            given += ' mathvariant="normal"'
        return f"<{kind}{given}>{escape(word)}</{kind}>"

    def raw(self) -> str:
        """The text of an argument in braces, escapes undone."""
        if self.take() != "{":
            self.at -= 1
            return self.take().lstrip("\\")
        # The tokens have no spaces: find the place in the text with them.
        seen, place = 0, 0
        while seen < self.at:
            seen += not self.spaced[place].isspace()
            place += 1
        depth, words = 1, []
        while place < len(self.spaced):
            token = self.spaced[place]
            place += 1
            self.at += not token.isspace()
            depth += (token == "{") - (token == "}")
            if not depth:
                break
            words.append(token[1:] if len(token) == 2 and token[0] == "\\" else token)
        return "".join(words)

    def environment(self) -> str:
        """`cases`, `matrix` and the like as a table."""
        name = self.raw()
        rows: list[list[str]] = [[""]]
        while self.peek() and self.peek() != "\\end":
            if self.peek() == "&":
                self.take()
                rows[-1].append("")
            elif self.peek() == "\\\\":
                self.take()
                rows.append([""])
            else:
                rows[-1][-1] += self.scripted()
        self.take()
        self.raw()
        body = "".join(
            "<mtr>" + "".join(f"<mtd>{cell}</mtd>" for cell in row) + "</mtr>" for row in rows if any(row)
        )
        brace = '<mo stretchy="true">{</mo>' if name == "cases" else ""
        return f"<mrow>{brace}<mtable>{body}</mtable></mrow>"


def _single(inner: str) -> bool:
    """Whether this is exactly one element without children."""
    return re.fullmatch(r"<(mi|mn|mo|mtext)[^>]*>[^<]*</\1>", inner) is not None
