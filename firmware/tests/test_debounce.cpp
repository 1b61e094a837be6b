#include <doctest/doctest.h>

#include <random>

#include "../core/debounce.h"

using namespace meter;

TEST_CASE("debounce: a contact is believed after it has stood still so long") {
  Debounce contact;
  for (int ms = 1; ms < CONTACT_MS; ++ms) {
    contact.tick(true);
    REQUIRE_FALSE(contact.closed());
  }
  contact.tick(true);
  CHECK(contact.closed());
}

TEST_CASE("debounce: chatter of any length changes nothing") {
  Debounce contact(true);
  for (int round = 0; round < 1000; ++round) {
    for (int ms = 1; ms < CONTACT_MS; ++ms) contact.tick(false);
    contact.tick(true);
    REQUIRE(contact.closed());
  }
}

TEST_CASE("debounce: changes exactly when the last milliseconds all say so") {
  std::mt19937 random(2);
  Debounce contact;
  bool level = false, expected = false;
  int still_ms = 0;
  for (int ms = 0; ms < 200000; ++ms) {
    const bool before = level;
    if (random() % 15 == 0) level = !level;
    still_ms = level == before ? still_ms + 1 : 1;
    contact.tick(level);
    if (still_ms >= CONTACT_MS) expected = level;
    REQUIRE(contact.closed() == expected);
  }
}
