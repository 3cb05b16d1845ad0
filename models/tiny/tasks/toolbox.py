"""The tools that chats offer: their names, parameters, questions and results."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .common import pool, split_pool
from .words import SUBJECTS, city, first_name, made_up

Arguments = dict[str, Any]
ZONES = pool("zones")
WEATHER = ("sunny", "cloudy", "rainy", "windy", "snowy", "foggy", "stormy", "clear")
# usual name of a parameter -> what it may be called
OTHER_KEYS = {
    "city": ("city", "location", "place"),
    "query": ("query", "q", "term"),
    "timezone": ("timezone", "zone", "tz"),
    "name": ("name", "username", "user"),
    "a": ("a", "x", "first"),
    "b": ("b", "y", "second"),
    "to": ("to", "recipient", "person"),
    "text": ("text", "message", "content"),
    "symbol": ("symbol", "ticker", "stock"),
    "sides": ("sides", "n", "count"),
}


@dataclass(frozen=True)
class Tool:
    """A tool family: its possible names, parameters, questions, and how its result is told."""

    names: tuple[str, ...]
    description: str
    parameters: dict[str, str]
    asks: tuple[str, ...]
    draw: Callable[[random.Random, bool], Arguments]
    result: Callable[[random.Random, Arguments], Any]
    tell: Callable[[Arguments, Any], str]

    def schema(self, rng: random.Random, name: str, keys: dict[str, str]) -> dict[str, Any]:
        """The definition in the OpenAI form, worded a little differently each time."""
        described, titled = rng.random() < 0.35, rng.random() < 0.1
        properties = {}
        for key, kind in self.parameters.items():
            entry = {"description": f"The {keys[key]}"} if described else {}
            title = {"title": keys[key].capitalize()} if titled else {}
            properties[keys[key]] = {**title, "type": kind, **entry}
        required = list(properties)
        if "city" in self.parameters and rng.random() < 0.12:
            properties["unit"] = {"type": "string", "enum": ["celsius", "fahrenheit"]}
        parameters = {"type": "object", "properties": properties, "required": required}
        if rng.random() < 0.1:
            parameters["additionalProperties"] = False
        function: dict[str, Any] = {"name": name}
        if rng.random() < 0.8:
            function["description"] = self.description
        return {"type": "function", "function": {**function, "parameters": parameters}}


def shown_keys(rng: random.Random, tool: Tool) -> dict[str, str]:
    """What each parameter is called this time; mostly by its usual name."""
    place = rng.choice((0, 0, 0, 1, 2))
    return {key: OTHER_KEYS.get(key, (key,) * 3)[place] for key in tool.parameters}


def _numbers(rng: random.Random, held_out: bool) -> Arguments:
    top = rng.choice((20, 99, 999, 999))
    return {"a": rng.randint(0, top), "b": rng.randint(0, top)}


def _query(rng: random.Random, held_out: bool) -> Arguments:
    pool = split_pool(SUBJECTS, held_out)
    return {"query": rng.choice((rng.choice(pool), made_up(rng, held_out)))}


def _weather(rng: random.Random, _: Arguments) -> Any:
    return {"temperature": rng.randint(-9, 39), "condition": rng.choice(WEATHER)}


TOOLS = (
    Tool(
        ("get_weather", "get_weather", "weather", "get_current_weather", "fetch_weather"),
        "Get the current weather for a city",
        {"city": "string"},
        (
            "What is the weather in {city}?",
            "What's the weather like in {city}?",
            "How is the weather in {city}?",
            "Is it warm in {city} today?",
            "Tell me the weather in {city}.",
            "Weather in {city}?",
            "I am in {city}. What is the weather?",
            "Can you check the weather in {city}?",
        ),
        lambda rng, held_out: {"city": city(rng, held_out)},
        _weather,
        lambda a, r: f"It is {r['condition']} in {a['city']} with {r['temperature']} degrees.",
    ),
    Tool(
        ("add", "add", "add_numbers", "sum"),
        "Add two numbers",
        {"a": "integer", "b": "integer"},
        (
            "Add {a} and {b}.",
            "What is {a} plus {b}?",
            "What is {a} + {b}?",
            "Use the tool to add {a} and {b}.",
            "What is the sum of {a} and {b}?",
            "What do {a} and {b} add up to?",
        ),
        _numbers,
        lambda rng, a: a["a"] + a["b"],
        lambda a, r: f"{a['a']} + {a['b']} = {r}",
    ),
    Tool(
        ("multiply", "multiply", "multiply_numbers"),
        "Multiply two numbers",
        {"a": "integer", "b": "integer"},
        (
            "Multiply {a} by {b}.",
            "What is {a} times {b}?",
            "What is {a} * {b}?",
            "Use the tool to multiply {a} and {b}.",
            "What is the product of {a} and {b}?",
        ),
        _numbers,
        lambda rng, a: a["a"] * a["b"],
        lambda a, r: f"{a['a']} * {a['b']} = {r}",
    ),
    Tool(
        ("search", "search", "web_search", "search_web"),
        "Search the web",
        {"query": "string"},
        (
            "Search for {query}.",
            "Search the web for {query}.",
            "Look up {query}.",
            "Find pages about {query}.",
            "Can you search for {query}?",
        ),
        _query,
        lambda rng, a: f"{rng.randint(2, 99)} pages about {a['query']}",
        lambda a, r: f"I found {r}.",
    ),
    Tool(
        ("get_time", "get_time", "current_time", "get_current_time"),
        "Get the current time in a timezone",
        {"timezone": "string"},
        (
            "What time is it in {timezone}?",
            "Tell me the time in {timezone}.",
            "What is the current time in {timezone}?",
            "Time in {timezone}?",
            "Can you tell me what time it is in {timezone}?",
        ),
        lambda rng, held_out: {"timezone": rng.choice(split_pool(ZONES, held_out))},
        lambda rng, _: f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}",
        lambda a, r: f"It is {r} in {a['timezone']}.",
    ),
    Tool(
        ("lookup_user", "find_user", "get_user"),
        "Look up a user by name",
        {"name": "string"},
        (
            "Look up the user {name}.",
            "Find the user {name}.",
            "Which user is called {name}?",
            "Who is the user {name}?",
            "Get the data of {name}.",
        ),
        lambda rng, held_out: {"name": first_name(rng, held_out)},
        lambda rng, _: {"age": rng.randint(18, 80), "city": rng.choice(("Rome", "Oslo", "Lima"))},
        lambda a, r: f"{a['name']} is {r['age']} years old and lives in {r['city']}.",
    ),
    Tool(
        ("send_message", "send_email", "message"),
        "Send a message to a person",
        {"to": "string", "text": "string"},
        (
            'Send "{text}" to {to}.',
            'Write to {to}: "{text}"',
            'Tell {to} "{text}"',
            'Send a message to {to} that says "{text}".',
        ),
        lambda rng, held_out: {
            "to": first_name(rng, held_out),
            "text": rng.choice(
                (
                    "See you soon",
                    "I am late",
                    "Happy birthday",
                    "Call me",
                    "The meeting is at " + str(rng.randint(1, 12)),
                    "Bring " + rng.choice(SUBJECTS),
                )
            ),
        },
        lambda rng, _: "sent",
        lambda a, r: f"The message to {a['to']} was sent.",
    ),
    Tool(
        ("roll_dice", "roll", "roll_die"),
        "Roll a die",
        {"sides": "integer"},
        (
            "Roll a die with {sides} sides.",
            "Roll a {sides}-sided die.",
            "Please roll a d{sides}.",
            "Throw a die with {sides} sides.",
        ),
        lambda rng, _: {"sides": rng.randint(2, 100)},
        lambda rng, a: rng.randint(1, a["sides"]),
        lambda a, r: f"The die shows {r}.",
    ),
    Tool(
        ("get_stock_price", "stock_price", "get_price"),
        "Get the price of a stock",
        {"symbol": "string"},
        (
            "What is the stock price of {symbol}?",
            "How much is a share of {symbol}?",
            "Get the price of {symbol}.",
            "Tell me the stock price of {symbol}.",
            "Stock price of {symbol}?",
        ),
        lambda rng, held_out: {"symbol": made_up(rng, held_out)[:4].upper()},
        lambda rng, _: {"price": rng.randint(1, 999)},
        lambda a, r: f"The stock price of {a['symbol']} is {r['price']} dollars.",
    ),
    Tool(
        ("set_alarm", "create_alarm", "alarm"),
        "Set an alarm",
        {"time": "string"},
        (
            "Set an alarm for {time}.",
            "Wake me up at {time}.",
            "I need an alarm at {time}.",
            "Please set the alarm to {time}.",
        ),
        lambda rng, _: {"time": f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"},
        lambda rng, _: "ok",
        lambda a, r: f"The alarm is set for {a['time']}.",
    ),
    Tool(
        ("translate", "translate_text", "translate"),
        "Translate a text into a language",
        {"text": "string", "language": "string"},
        (
            'Translate "{text}" to {language}.',
            'How do you say "{text}" in {language}?',
            'Say "{text}" in {language}.',
            'What is "{text}" in {language}?',
        ),
        lambda rng, held_out: {
            "text": rng.choice(split_pool(SUBJECTS, held_out)),
            "language": rng.choice(("French", "German", "Spanish", "Italian", "Polish", "Greek")),
        },
        lambda rng, _: made_up(rng, False).lower() + " " + made_up(rng, False).lower(),
        lambda a, r: f'"{a["text"]}" in {a["language"]} is "{r}".',
    ),
)
