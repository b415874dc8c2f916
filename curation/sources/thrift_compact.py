"""Reads Thrift's compact protocol, the encoding of Parquet's footer and page headers."""

DEEPEST = 16


class ShortError(ValueError):
    """The struct is longer than the given bytes."""


class Struct:
    """Reads a struct of the compact protocol from the start of ``data``; ``at`` is the place of the next byte."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.at = 0

    def fields(self, depth: int = 0) -> dict[int, object]:
        """The values of a struct by the numbers of their fields: integers, booleans, bytes, lists, structs."""
        if depth > DEEPEST:
            raise ValueError("too deep")
        found: dict[int, object] = {}
        number = 0
        while head := self._byte():
            number = number + (head >> 4) if head >> 4 else self._signed()
            found[number] = self._value(head & 15, depth)
        return found

    def _value(self, kind: int, depth: int) -> object:
        if kind in (1, 2):
            return kind == 1
        if kind == 3:
            return self._byte()
        if kind in (4, 5, 6):
            return self._signed()
        if kind in (7, 8):
            return self._take(8 if kind == 7 else self._unsigned())
        if kind in (9, 10):
            head = self._byte()
            count = head >> 4 if head >> 4 < 15 else self._unsigned()
            if count > len(self.data):
                raise ShortError
            inner = 3 if head & 15 in (1, 2) else head & 15
            return [self._value(inner, depth + 1) for _ in range(count)]
        if kind == 12:
            return self.fields(depth + 1)
        raise ValueError("no type of the compact protocol")

    def _byte(self) -> int:
        if self.at >= len(self.data):
            raise ShortError
        self.at += 1
        return self.data[self.at - 1]

    def _take(self, size: int) -> bytes:
        if self.at + size > len(self.data):
            raise ShortError
        self.at += size
        return self.data[self.at - size : self.at]

    def _unsigned(self) -> int:
        value = shift = 0
        while (byte := self._byte()) & 128:
            value |= (byte & 127) << shift
            shift += 7
            if shift > 63:
                raise ValueError("no number")
        return value | byte << shift

    def _signed(self) -> int:
        value = self._unsigned()
        return value >> 1 ^ -(value & 1)


def number(fields: dict[int, object], field: int) -> int:
    """An integer field of a struct; 0 if missing."""
    value = fields.get(field, 0)
    return value if isinstance(value, int) else 0
