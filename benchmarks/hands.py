"""What a person does on the pages, with a mouse or by keyboard alone: each click and key is counted."""

from __future__ import annotations

from playwright.sync_api import Locator, Page

MAX_TABS = 600  # that lead to anything on a page


class Hands:
    """A person at a browser.

    Parameters
    ----------
    page : Page
    keyboard : bool
        Whether the person uses no mouse.

    Attributes
    ----------
    clicks : int
        Presses of the mouse; choosing from a list is two.
    keys : int
        Presses of the keyboard, of which a word that is written counts one for each letter.
    visited : list of str
        Addresses that were led to.
    """

    def __init__(self, page: Page, *, keyboard: bool = False) -> None:
        self.page, self.keyboard = page, keyboard
        self.clicks = self.keys = 0
        self.visited: list[str] = []

    def press(self, target: Locator, key: str = "Enter") -> None:
        """Press a button, open what is folded, or tick a box (with the key ``Space``)."""
        if self.keyboard:
            self._reach(target)
            self._type(key)
        else:
            target.click()
            self.clicks += 1

    def follow(self, target: Locator) -> None:
        """Press what leads to another page."""
        with self.page.expect_navigation(wait_until="load"):
            self.press(target)
        self.visited.append(self.page.url.partition("#")[0])

    def choose(self, target: Locator, label: str) -> None:
        """Choose from a list."""
        if self.keyboard:
            self._reach(target)
            self.page.keyboard.type(label)
            self.keys += len(label)
        else:
            target.select_option(label=label)
            self.clicks += 2

    def pick(self, group: Locator, label: str) -> None:
        """Pick one of several that all stand there."""
        target = group.get_by_label(label, exact=True)
        if not self.keyboard:
            self.press(target)
            return
        self._reach(group.get_by_role("radio").first)
        self._type("Space")
        while not target.is_checked():
            self._type("ArrowDown")

    def write(self, target: Locator, text: str) -> None:
        """Write into a field, in place of what it holds."""
        self._reach(target) if self.keyboard else self.press(target)
        target.fill(text)
        self.keys += len(text)

    def _reach(self, target: Locator) -> None:
        for _ in range(MAX_TABS):
            if target.evaluate("element => element === document.activeElement"):
                return
            self._type("Tab")
        raise AssertionError(f"the keyboard does not reach {target}")

    def _type(self, key: str) -> None:
        self.page.keyboard.press(key)
        self.keys += 1
