"""The sixteen colours of a terminal, and which of them stands for any other."""

#: Red, green and blue of each, as xterm(1) has them.
_SIXTEEN = (
    (0, 0, 0), (205, 0, 0), (0, 205, 0), (205, 205, 0), (0, 0, 238), (205, 0, 205), (0, 205, 205),
    (229, 229, 229), (127, 127, 127), (255, 0, 0), (0, 255, 0), (255, 255, 0), (92, 92, 255),
    (255, 0, 255), (0, 255, 255), (255, 255, 255),
)  # fmt: skip
#: Of 256 colours the sixteen come first, then a cube of six levels each way, then greys.
_LEVELS = (0, 95, 135, 175, 215, 255)
_CUBE, _GREYS, _LAST = len(_SIXTEEN), len(_SIXTEEN) + len(_LEVELS) ** 3, 255


def nearest(red: int, green: int, blue: int) -> int:
    """The number of the one that is most alike."""

    def unlike(number: int) -> int:
        pairs = zip(_SIXTEEN[number], (red, green, blue), strict=True)
        return sum((one - other) ** 2 for one, other in pairs)

    return min(range(len(_SIXTEEN)), key=unlike)


def nearest_to_numbered(number: int) -> int:
    """The same for one of the 256 colours that many terminals know."""
    number = min(number, _LAST)
    if number < _CUBE:
        return number
    if number >= _GREYS:
        return nearest(*[8 + 10 * (number - _GREYS)] * 3)
    red, rest = divmod(number - _CUBE, len(_LEVELS) ** 2)
    green, blue = divmod(rest, len(_LEVELS))
    return nearest(_LEVELS[red], _LEVELS[green], _LEVELS[blue])
