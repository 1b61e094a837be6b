"""The terms as they stand now, for everything that lives longer than they do."""

from collections.abc import Mapping

from microgrid.terms import FOREVER, Contract, Terms


class Agreed:
    """Holds the newest terms; owned by the network thread. Who keeps it sees a change at once."""

    def __init__(self, terms: Terms) -> None:
        self._terms = terms
        self._in_force: Mapping[str, Contract] = {}
        self._same = range(0)  # the minutes for which `_in_force` holds

    @property
    def terms(self) -> Terms:
        """The terms as they stand."""
        return self._terms

    def change(self, terms: Terms) -> None:
        """From now on these are the terms."""
        self._terms, self._same = terms, range(0)

    def contracts_at(self, minute: int) -> Mapping[str, Contract]:
        """The contracts in force in this minute, by house; found anew only when one begins or ends.

        As when it is settled, who is not a member has none.
        """
        if minute not in self._same:
            contracts, houses = self._terms.contracts, self._terms.houses
            edges = self._terms.edges()
            before = max((edge for edge in edges if edge <= minute), default=0)
            after = min((edge for edge in edges if edge > minute), default=FOREVER)
            self._same = range(before, after)
            members = {house.house for house in houses if house.joined <= minute < house.left}
            self._in_force = {
                c.house: c for c in contracts if c.valid_from <= minute < c.valid_to and c.house in members
            }
        return self._in_force
