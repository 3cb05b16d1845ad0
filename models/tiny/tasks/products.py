"""Product sentences, to be turned into JSON with name, price, features and color."""

from __future__ import annotations

import json
import random
from dataclasses import asdict, dataclass

from .common import Check, Example, capitalize, is_held_out, pool, single, split_pool
from .words import COLORS, any_word, made_up

BRANDS = pool("brands")
NOUNS = pool("products_nouns")
SUFFIXES = ("", "", " Pro", " Max", " Mini", " Plus", " Air", " Ultra", " Lite", " SE")
ADJECTIVES = pool("adjectives")
PARTS = pool("parts")
FIXED_FEATURES = pool("fixed_features")
UNITS = ("mAh battery", "GB of RAM", "GB of storage", "Hz display", "inch screen", "MP camera")
ASKS = (
    "Extract product information as JSON from: {t}",
    "Extract product information as JSON from: {t}",
    "Extract the product as JSON: {t}",
    "Extract the product information as JSON: {t}",
    "Extract the name, price, features and color as JSON from: {t}",
    "Turn this into JSON with name, price, features and color: {t}",
    "Return the product in this text as JSON: {t}",
    "Extract product information from: {t}",
    "{t}\n\nExtract the product as JSON.",
    "{t}\nGive me name, price, features and color as JSON.",
)
ASKS_HELD = (
    "Please extract the product details as JSON: {t}",
    "Extract product information as JSON from this text: {t}",
)
INTROS = (
    "I'd like to tell you about the new {n}.",
    "I want to tell you about the {n}.",
    "Meet the {n}.",
    "Say hello to the new {n}.",
    "This is the {n}.",
    "The {n} is here.",
    "Have you seen the new {n}?",
    "Let me introduce the {n}.",
    "Look at the {n}.",
    "Check out the new {n}.",
    "Here is the {n}.",
    "You will love the {n}.",
    "We now sell the {n}.",
    "Our store has the new {n}.",
    "Please welcome the {n}.",
    "Today we present the {n}.",
    "I just bought the {n}.",
    "Take home the {n}.",
    "Everybody wants the new {n}.",
)
INTROS_HELD = ("Take a look at the {n}.", "Here comes the new {n}.")
PRICES = (
    "It's priced at ${p}",
    "It costs ${p}",
    "It sells for ${p}",
    "You can buy it for ${p}",
    "The price is ${p}",
    "It is yours for {p} dollars",
    "It costs {p} dollars",
)
FEATURE_LINKS = (
    "and comes with some amazing features including {f}.",
    "and comes with {f}.",
    "and has {f}.",
    "and offers {f}.",
)
FEATURE_SENTENCES = (
    "It has {f}.",
    "It comes with {f}.",
    "Features include {f}.",
    "You get {f}.",
    "It offers {f}.",
)
COLOR_SENTENCES = (
    "It comes in {c}.",
    "The color is {c}.",
    "It is available in {c}.",
    "It is {c}.",
    "You can get it in {c}.",
)
SHORT = (
    "The {c} {n} costs ${p} and has {f}.",
    "The {n} in {c} is ${p} and comes with {f}.",
    "For ${p} you get the {c} {n} with {f}.",
    "{n}, {c}, ${p}, with {f}.",
    "The {n} with {f} is {c} and costs {p} dollars.",
    "Our {n} in {c} with {f} costs ${p}.",
    "My {c} {n} was ${p} and has {f}.",
    "A {c} {n} with {f} for ${p}.",
    "We offer the {c} {n} for ${p}, with {f}.",
)
SHORT_HELD = ("Our {c} {n} sells for ${p} and offers {f}.",)


@dataclass(frozen=True)
class Product:
    """What the reply must hold, key by key."""

    name: str
    price: float
    features: list[str]
    color: str


def _name(rng: random.Random, held_out: bool) -> str:
    brand = rng.choice(split_pool(BRANDS, held_out) + ([] if held_out else ["iPhone"]))
    if rng.random() < 0.4:
        brand = made_up(rng, held_out)
    if rng.random() < 0.5:
        return f"{brand} {rng.randint(1, 99)}{rng.choice(SUFFIXES)}"
    return f"{brand} {rng.choice(NOUNS)}"


def _price(rng: random.Random) -> float:
    whole = rng.choice((rng.randint(5, 99), rng.randint(100, 999), rng.randint(1000, 2999)))
    return whole + rng.choice((0.99, 0.5, 0.95, 0.25)) if rng.random() < 0.25 else whole


def _feature(rng: random.Random, held_out: bool) -> str:
    draw = rng.random()
    if draw < 0.25:
        return rng.choice(split_pool(FIXED_FEATURES, held_out))
    if draw < 0.4:
        return f"{rng.randint(2, 99) * rng.choice((1, 10, 100))} {rng.choice(UNITS)}"
    if draw < 0.72:
        return _new_feature(rng, held_out)
    while True:
        feature = f"{rng.choice(ADJECTIVES)} {rng.choice(PARTS)}"
        if is_held_out(feature) == held_out:
            return feature


def _new_feature(rng: random.Random, held_out: bool) -> str:
    """A feature with a made-up word, so that features are copied and not known by heart."""
    word = made_up(rng, held_out)
    word = rng.choice((word, word, word.lower(), word[:2].upper() + str(rng.randint(1, 99))))
    other = rng.choice((rng.choice(PARTS), rng.choice(ADJECTIVES), any_word(rng)))
    made = rng.choice((f"{word} {other}", f"{other} {word}", f"{any_word(rng)} {any_word(rng)}"))
    return made if made not in FIXED_FEATURES else word


def draw_product(rng: random.Random, held_out: bool) -> Product:
    """A product whose name and features belong to one side of the split."""
    features: list[str] = []
    while len(features) < rng.choice((1, 2, 2, 3, 3)):
        feature = _feature(rng, held_out)
        if feature not in features:
            features.append(feature)
    return Product(_name(rng, held_out), _price(rng), features, rng.choice(COLORS))


def _spell(features: list[str], rng: random.Random) -> str:
    shown = list(features)
    if rng.random() < 0.5:
        shown[0] = "the " + shown[0]
    if rng.random() < 0.4:
        shown[-1] = ("an " if shown[-1][0] in "aeiouAEIO" else "a ") + shown[-1].removeprefix(
            "the "
        )
    if len(shown) == 1:
        return shown[0]
    comma = "," if len(shown) > 2 and rng.random() < 0.6 else ""
    return ", ".join(shown[:-1]) + f"{comma} and {shown[-1]}"


def _price_text(price: float) -> str:
    return f"{price:.2f}" if price != int(price) else str(int(price))


def describe(rng: random.Random, product: Product, held_out: bool) -> str:
    """One to three sentences that name every part of the product."""
    fill = {"n": product.name, "p": _price_text(product.price), "c": product.color}
    fill["f"] = _spell(product.features, rng)
    if rng.random() < 0.35:
        return rng.choice(SHORT_HELD if held_out else SHORT).format(**fill)
    parts = [rng.choice(INTROS_HELD if held_out else INTROS)]
    if rng.random() < 0.5:
        parts.append(rng.choice(PRICES) + " " + rng.choice(FEATURE_LINKS))
        parts.append(rng.choice(COLOR_SENTENCES))
    else:
        rest = [rng.choice(PRICES) + ".", rng.choice(FEATURE_SENTENCES)]
        rest.append(rng.choice(COLOR_SENTENCES))
        rng.shuffle(rest)
        parts += rest
    return " ".join(parts).format(**fill)


def _with_design(rng: random.Random, product: Product) -> tuple[str, Product]:
    """The form whose last feature is a design that names the color."""
    color = capitalize(product.color) if rng.random() < 0.7 else product.color
    design = rng.choice(("premium {} design", "sleek {} design", "elegant {} finish")).format(color)
    features = [*product.features[:2], design]
    shown = [("the " if i == 0 else "") + part for i, part in enumerate(features)]
    listed = (
        ", ".join(shown[:-1]) + f", and a {design}"
        if len(features) > 2
        else (f"{shown[0]} and a {design}")
    )
    text = (rng.choice(INTROS) + " " + rng.choice(PRICES) + " " + rng.choice(FEATURE_LINKS)).format(
        n=product.name, p=_price_text(product.price), f=listed
    )
    return text, Product(product.name, product.price, features, color)


def as_json(product: Product) -> str:
    """The reply: one line of JSON, whole prices without a point."""
    data = asdict(product)
    data["price"] = int(product.price) if product.price == int(product.price) else product.price
    return json.dumps(data, ensure_ascii=False)


def make(rng: random.Random, held_out: bool) -> Example:
    """One sentence to turn into JSON."""
    product = draw_product(rng, held_out)
    if rng.random() < 0.25:
        text, product = _with_design(rng, product)
    else:
        text = describe(rng, product, held_out)
    question = rng.choice(ASKS_HELD if held_out else ASKS).format(t=text)
    reply = as_json(product)
    return single(rng, "extraction", question, reply, Check("json", json.loads(reply)))
