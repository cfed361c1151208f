"""Find the long lists of a request in JSON, and read each distinct value once; compiled by numba and cached on disk."""

from __future__ import annotations

from typing import NamedTuple

import numba as nb
import numpy as np

MIN_ROWS = 64  # shorter lists cost less than they would save
MAX_COLUMNS = 64
SLOTS = 8192  # of a column's hash table, a power of two
MAX_VALUES = SLOTS // 2
MAX_PROBES = 64  # whoever chooses texts that collide must not slow down others
MULTIPLIER, TURN = np.uint64(0x9E3779B97F4A7C15), np.uint64(32)
SPACE, QUOTE, COMMA, COLON, BACKSLASH = (ord(letter) for letter in ' ",:\\')
OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT = (ord(letter) for letter in "[]{}")
ONES, HIGHS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
QUOTES, BACKSLASHES = ONES * np.uint64(QUOTE), ONES * np.uint64(BACKSLASH)
PLACES = np.uint64(0x0001020304050607)  # which of eight bytes has a bit, at the top of the product
ZERO, SEVEN, TOP = np.uint64(0), np.uint64(7), np.uint64(56)
BLANK = np.isin(np.arange(256), list(b" \t\r\n"))
BARE = np.isin(np.arange(256), list(b"0123456789+-.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"))


class LongList(NamedTuple):
    """A list of rows that name the same columns in the same order, or of values; the values are in the body.

    Attributes
    ----------
    begin, end : int
        Of the list in the body.
    rows : int
        Their number.
    edges : int64 array, shape (columns, 2)
        Of rows: where, within the first, the text before each value begins and ends.
    values : int64 array, shape (columns, MAX_VALUES, 2)
        Where each distinct value of a column begins and ends.
    counts : int64 array, shape (columns,)
        The distinct values of each column.
    places : int32 array, shape (columns, at least rows)
        Index of each row's value.
    """

    begin: int
    end: int
    rows: int
    edges: np.ndarray
    values: np.ndarray
    counts: np.ndarray
    places: np.ndarray


class Reading(NamedTuple):
    """A list that is being read: its arrays as in ``LongList``, and of each column a hash table of its distinct values, in which 0
    is none, and which other value came after each last.
    """

    edges: np.ndarray
    values: np.ndarray
    counts: np.ndarray
    places: np.ndarray
    slots: np.ndarray
    follows: np.ndarray


@nb.njit(cache=True, nogil=True)
def first_byte(ends):
    """Return which byte of a word is the first that has its high bit."""
    return np.int64((((ends & (ZERO - ends)) >> SEVEN) * PLACES) >> TOP)


@nb.njit(cache=True, nogil=True)
def zeros_or(word, letters, others):
    """Return a word whose lowest high bit is that of the first byte that is one of two letters."""
    one, other = word ^ letters, word ^ others
    return (((one - ONES) & ~one) | ((other - ONES) & ~other)) & HIGHS


@nb.njit(cache=True, nogil=True)
def begun(word, size):
    """Return the first bytes of a word, up to eight of them."""
    return word if size >= 8 else word << np.uint64(64 - 8 * size)


@nb.njit(cache=True, nogil=True)
def mixed(key, word):
    """Return a hash of a hash and a word."""
    key = (key ^ word) * MULTIPLIER
    return key ^ (key >> TURN)


@nb.njit(cache=True, nogil=True)
def after_text(body, words, at):
    """Return where a text that begins at a quotation mark ends, or -1."""
    at += 1
    while at < len(body):
        ends = zeros_or(words[at], QUOTES, BACKSLASHES)
        if ends == ZERO:
            at += 8
            continue
        at += first_byte(ends)
        if at >= len(body):
            break
        if body[at] == QUOTE:
            return at + 1
        at += 2
    return -1


@nb.njit(cache=True, nogil=True)
def after_value(body, words, at):
    """Return where a text, or what may be a number or a word, ends; -1 for anything else."""
    if at >= len(body):
        return -1
    if body[at] == QUOTE:
        return after_text(body, words, at)
    end = at
    while end < len(body) and BARE[body[end]]:
        end += 1
    return end if end > at else -1


@nb.njit(cache=True, nogil=True)
def after_blanks(body, at):
    """Return where the next letter that is no white space is."""
    while at < len(body) and BLANK[body[at]]:
        at += 1
    return at


@nb.njit(cache=True, nogil=True)
def edges_of_row(body, words, at):
    """Return where the text before each value of a row begins and ends, and the text after the last; none if a value is no plain one."""
    edges = np.empty((MAX_COLUMNS + 1, 2), np.int64)
    columns, begin, none = 0, at, edges[:0]
    if at >= len(body) or body[at] != OPEN_OBJECT:
        return none
    while columns < MAX_COLUMNS:
        at = after_blanks(body, at + 1)  # after the brace or the comma
        if at >= len(body) or body[at] != QUOTE:
            return none
        at = after_text(body, words, at)
        at = -1 if at < 0 else after_blanks(body, at)
        if at < 0 or at >= len(body) or body[at] != COLON:
            return none
        at = after_blanks(body, at + 1)
        edges[columns, 0], edges[columns, 1] = begin, at
        columns += 1
        begin = after_value(body, words, at)
        at = -1 if begin < 0 else after_blanks(body, begin)
        if at < 0 or at >= len(body):
            return none
        if body[at] == CLOSE_OBJECT:
            edges[columns, 0], edges[columns, 1] = begin, at + 1
            return edges[: columns + 1]
        if body[at] != COMMA:
            return none
    return none


@nb.njit(cache=True, nogil=True)
def no_list(at):
    """Return what stands for no list."""
    edges, values, places = np.empty((0, 2), np.int64), np.empty((0, 0, 2), np.int64), np.empty((0, 0), np.int32)
    return LongList(begin=at, end=at, rows=0, edges=edges, values=values, counts=np.empty(0, np.int64), places=places)


@nb.njit(cache=True, nogil=True)
def read_list(body, words, begin, of_rows):
    """Return a list that begins at a bracket; its ``rows`` are 0 if it is none of many rows that are alike, or of many values."""
    at = after_blanks(body, begin + 1)
    if of_rows:
        edges = edges_of_row(body, words, at)
        first = edges[-1, 1] if len(edges) else -1
    else:
        edges = np.zeros((2, 2), np.int64)
        first = after_value(body, words, at)
    if first < 0:
        return no_list(begin)
    columns = len(edges) - 1
    room = (len(body) - at) // (first - at + 1) + MIN_ROWS  # grows if later rows are shorter
    values, counts = np.empty((columns, MAX_VALUES, 2), np.int64), np.zeros(columns, np.int64)
    places, slots = np.empty((columns, room), np.int32), np.zeros((columns, SLOTS), np.int32)
    follows = np.zeros((columns, MAX_VALUES), np.int32)
    row = 0
    while True:
        given = Reading(edges=edges, values=values, counts=counts, places=places, slots=slots, follows=follows)
        at, row = read_rows(body, words, at, given, row)
        if at < 0 or at == len(body):
            break
        if body[at] == CLOSE_LIST:
            if row < MIN_ROWS:
                break
            end = at + 1
            return LongList(begin=begin, end=end, rows=row, edges=edges, values=values, counts=counts, places=places)
        if body[at] != COMMA:
            break
        at = after_blanks(body, at + 1)
        wider = np.empty((columns, 2 * room), np.int32)
        wider[:, :room] = places
        room, places = 2 * room, wider
    return no_list(begin)


@nb.njit(cache=True, nogil=True)
def read_rows(body, words, at, given, row):
    """Read rows until they end or there is no more room; return where they end, or -1 if one is not like the first, and their number.

    One function: to hand an array to another counts its references, which takes longer than to read a value.
    """
    edges, values, counts, places, slots, follows = given
    columns, size, room = len(counts), len(body), places.shape[1]
    while True:
        for c in range(columns + 1):
            begin, end = edges[c, 0], edges[c, 1]
            if at + end - begin > size:
                return -1, row
            while begin < end:
                if begun(words[at] ^ words[begin], end - begin) != ZERO:
                    return -1, row
                step = min(end - begin, 8)
                at, begin = at + step, begin + step
            if c == columns:
                break
            if row:  # most values are that of the row before, or follow it as they did before
                before = places[c, row - 1]
                place, same = before, -1
                for _ in range(2):
                    begin, end = values[c, place, 0], values[c, place, 1]
                    if body[begin] == QUOTE and at + end - begin <= size:
                        same = at
                        while begin < end and begun(words[same] ^ words[begin], end - begin) == ZERO:
                            same, begin = same + min(end - begin, 8), begin + 8
                        if begin >= end:
                            break
                    same, place = -1, follows[c, before]
                if same >= 0:
                    places[c, row], at = place, same
                    follows[c, before] = place if place != before else follows[c, before]
                    continue
            begin, end = at, at
            if at < size and body[at] == QUOTE:
                end += 1
                while end < size:
                    ends = zeros_or(words[end], QUOTES, BACKSLASHES)
                    if ends == ZERO:
                        end += 8
                        continue
                    end += first_byte(ends)
                    if end >= size or body[end] == QUOTE:
                        break
                    end += 2
                end += 1
                if end > size:
                    return -1, row
            else:
                while end < size and BARE[body[end]]:
                    end += 1
                if end == begin:
                    return -1, row
            key = np.uint64(end - begin)
            for k in range(begin, end, 8):
                key = mixed(key, begun(words[k], end - k))
            slot = np.int64(key & np.uint64(SLOTS - 1))
            probes = 0
            while True:
                place = np.int64(slots[c, slot]) - 1
                if place < 0:
                    place = counts[c]
                    if place == MAX_VALUES:
                        return -1, row
                    values[c, place, 0], values[c, place, 1] = begin, end
                    counts[c] = slots[c, slot] = place + 1
                    break
                there = values[c, place, 0]
                if values[c, place, 1] - there == end - begin:
                    k = begin
                    while k < end and begun(words[k] ^ words[there], end - k) == ZERO:
                        k, there = k + 8, there + 8
                    if k >= end:
                        break
                slot, probes = (slot + 1) & (SLOTS - 1), probes + 1
                if probes == MAX_PROBES:
                    return -1, row
            if row:
                follows[c, places[c, row - 1]] = place
            places[c, row], at = place, end
        row += 1
        while at < size and BLANK[body[at]]:
            at += 1
        if at == size or body[at] != COMMA or row == room:
            return at, row
        at += 1
        while at < size and BLANK[body[at]]:
            at += 1


@nb.njit(cache=True, nogil=True)
def next_list(body, words, at, depth):
    """Return the next long list of the rows of a table, or of the values of a column: after ``at``, which is as deep in objects.

    Rows stand in the second object, values in the third, and none within another list. The ``rows`` are 0 if there is none.
    """
    lists = 0
    while at < len(body):
        letter = body[at]
        if letter == QUOTE:
            at = after_text(body, words, at)
            if at < 0:
                break
            continue
        if letter == OPEN_OBJECT:
            depth += 1
        elif letter == CLOSE_OBJECT:
            depth -= 1
        elif letter == OPEN_LIST:
            if lists == 0 and (depth == 2 or depth == 3):
                found = read_list(body, words, at, depth == 2)
                if found.rows:
                    return found, depth
            lists += 1
        elif letter == CLOSE_LIST:
            lists -= 1
        at += 1
    return no_list(at), depth
