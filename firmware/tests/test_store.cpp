#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "../core/store.h"
#include "store_rig.h"

using namespace meter;
using namespace store_rig;

namespace {

const uint16_t RING_END = RING_AT + SLOTS * SLOT_BYTES;

// Counters as they go on: most bytes stay.
Counters later(std::mt19937& random, Counters counters) {
  counters.import_ws += static_cast<uint32_t>(random() % 300000);
  if (random() % 2 == 0) counters.export_ws += static_cast<uint32_t>(random() % 70000);
  if (random() % 5 == 0) counters.generation_ws = static_cast<uint32_t>(random());
  return counters;
}

}  // namespace

TEST_CASE("store: a blank EEPROM, and one of zeros, hold nothing") {
  for (int fill : {0xFF, 0x00}) {
    CutEeprom eeprom;
    std::fill(eeprom.bytes.begin(), eeprom.bytes.end(), static_cast<uint8_t>(fill));
    Loaded loaded = Loaded();
    loaded.calibration.set(VOLTAGE_GAIN, 999999);
    Store store(eeprom);
    loaded.found = store.load(loaded.calibration);
    CHECK(same(loaded.found.counters, Counters()));
    CHECK(loaded.found.boots == 0);
    CHECK_FALSE(loaded.found.calibrated);
    CHECK(same(loaded.calibration, Calibration()));
    CHECK_FALSE(store.saving_calibration());
    CHECK_FALSE(store.saving_counters());
  }
}

TEST_CASE("store: what was saved is found") {
  CutEeprom eeprom;
  Calibration calibration;
  {
    Store store(eeprom);
    store.load(calibration);
    calibration.set(VOLTAGE_GAIN, 1012345);
    calibration.set(CURRENT_OFFSET, -17);
    store.save_calibration(calibration);
    store.save_counters(Counters{0xFFFFFFFFu, 0x01020304u, 0}, 0xFEDC);
    poll_all(store);
  }
  const Loaded loaded = look(eeprom);
  CHECK(same(loaded.found.counters, Counters{0xFFFFFFFFu, 0x01020304u, 0}));
  CHECK(loaded.found.boots == 0xFEDC);
  CHECK(loaded.found.calibrated);
  CHECK(same(loaded.calibration, calibration));
}

TEST_CASE("store: nothing is begun but when the last byte is done, nor said to be saved before") {
  CutEeprom eeprom;
  Store store(eeprom);
  Calibration calibration;
  store.load(calibration);
  store.save_counters(Counters{0x11223344, 0x55667788, 0x99AABBCC}, 0x0102);
  int polls = 0;
  for (; store.saving_counters(); ++polls) {
    const int before = eeprom.written;
    store.poll();  // the EEPROM itself checks that it is not written to while busy
    REQUIRE(eeprom.written - before <= 1);
    REQUIRE(polls < 1000);
  }
  CHECK(eeprom.written == SLOT_BYTES);
  CHECK(eeprom.ready());
  CHECK(polls >= 3 * SLOT_BYTES);
  store.save_calibration(calibration);
  poll_all(store);
  CHECK(eeprom.ready());
}

TEST_CASE("store: each slot is written once a turn, and no byte twice") {
  CutEeprom eeprom;
  Store store(eeprom);
  Calibration calibration;
  store.load(calibration);
  std::mt19937 random(6);
  Counters counters = Counters();
  const int turns = 20;
  for (int n = 0; n < turns * SLOTS; ++n) {
    counters = later(random, counters);
    const std::vector<int> before = eeprom.writes;
    store.save_counters(counters, 1);
    poll_all(store);
    const int slot = n % SLOTS;
    for (int at = 0; at < STORE_BYTES; ++at) {
      const bool mine = at >= RING_AT + slot * SLOT_BYTES && at < RING_AT + (slot + 1) * SLOT_BYTES;
      REQUIRE(eeprom.writes[static_cast<size_t>(at)] - before[static_cast<size_t>(at)] <= (mine ? 1 : 0));
    }
  }
  CHECK(*std::max_element(eeprom.writes.begin(), eeprom.writes.end()) == turns);
  CHECK(RING_END <= STORE_BYTES);
}

TEST_CASE("store: the newest counters are found while serial numbers wrap") {
  CutEeprom eeprom;
  std::mt19937 random(7);
  Counters counters = Counters();
  Calibration calibration;
  int saves = 0;
  while (saves < 70000) {
    Store store(eeprom);
    const Store::Found found = store.load(calibration);
    REQUIRE(same(found.counters, counters));
    REQUIRE(found.boots == static_cast<uint16_t>(saves));
    for (uint32_t n = 1 + static_cast<uint32_t>(random() % 400); n > 0; --n) {
      counters = later(random, counters);
      store.save_counters(counters, static_cast<uint16_t>(++saves));
      poll_all(store);
    }
  }
}

TEST_CASE("store: a slot whose serial number is begun is left alone by the next save") {
  CutEeprom eeprom;
  Calibration calibration;
  Store store(eeprom);
  store.load(calibration);
  store.save_counters(Counters{1, 2, 3}, 4);
  for (int n = 0; n < 1000 && eeprom.written < SLOT_BYTES - 1; ++n) store.poll();
  REQUIRE(store.saving_counters());
  const std::vector<uint8_t> before = eeprom.bytes;
  store.save_counters(Counters{5, 6, 7}, 4);
  poll_all(store);
  CHECK(std::equal(before.begin(), before.begin() + RING_AT + SLOT_BYTES, eeprom.bytes.begin()));
  CHECK(same(look(eeprom).found.counters, Counters{5, 6, 7}));
}

TEST_CASE("store: a supply that goes at any byte leaves the previous or the new counters") {
  std::mt19937 random(8);
  for (uint32_t fill : {1u, 2u, 3u, 40u, 41u, 42u, 43u, 44u, 90u, 254u, 255u, 256u, 257u, 300u}) {
    CutEeprom filled(fill);
    Counters previous = Counters();
    {
      Store store(filled);
      Calibration calibration;
      store.load(calibration);
      for (uint32_t n = 0; n < fill; ++n) {
        previous = later(random, previous);
        store.save_counters(previous, 5);
        poll_all(store);
      }
    }
    for (int cut = 0; cut <= SLOT_BYTES; ++cut) {
      for (int again = 0; again < 12; ++again) {
        CutEeprom eeprom = filled;
        const Counters next = later(random, previous);
        Calibration calibration;
        Store store(eeprom);
        store.load(calibration);
        eeprom.cut_after(cut);
        store.save_counters(next, 6);
        poll_all(store);
        const Loaded loaded = look(eeprom);
        const bool is_new = same(loaded.found.counters, next) && loaded.found.boots == 6;
        const bool is_old = same(loaded.found.counters, previous) && loaded.found.boots == 5;
        REQUIRE((is_new || (is_old && eeprom.dead)));
      }
    }
  }
}

TEST_CASE("store: a first save that is broken off leaves nothing or the new counters") {
  for (uint32_t round = 0; round < 2000; ++round) {
    CutEeprom eeprom(round);
    const Counters next = {1000 + round, 77 * round, 0};
    Calibration calibration;
    Store store(eeprom);
    store.load(calibration);
    eeprom.cut_after(static_cast<int>(round % (SLOT_BYTES + 1)));
    store.save_counters(next, 1);
    poll_all(store);
    const Loaded loaded = look(eeprom);
    const bool none = same(loaded.found.counters, Counters()) && loaded.found.boots == 0;
    REQUIRE((none || (same(loaded.found.counters, next) && loaded.found.boots == 1)));
  }
}

TEST_CASE("store: counters saved and cut at random, for long, never go back further than one save") {
  std::mt19937 random(9);
  CutEeprom eeprom(9);
  Counters known = Counters();
  uint16_t boots = 0;
  int cuts = 0;
  for (int round = 0; round < 6000; ++round) {
    eeprom.revive();
    Calibration calibration;
    Store store(eeprom);
    store.load(calibration);
    std::vector<Counters> possible(1, known);  // and what was begun since that stood
    eeprom.cut_after(static_cast<int>(random() % 60));
    while (!eeprom.dead) {
      possible.push_back(later(random, possible.back()));
      store.save_counters(possible.back(), ++boots);
      // Sometimes the next comes while this one is being written.
      const uint32_t polls = random() % 3 == 0 ? static_cast<uint32_t>(random() % 60) : 1000;
      for (uint32_t n = 0; n < polls && store.saving_counters(); ++n) store.poll();
      if (!store.saving_counters() && !eeprom.dead) possible.erase(possible.begin(), possible.end() - 1);
    }
    ++cuts;
    known = look(eeprom).found.counters;
    const auto is_known = [&](const Counters& one) { return same(one, known); };
    REQUIRE(std::any_of(possible.begin(), possible.end(), is_known));
  }
  CHECK(cuts == 6000);
}

TEST_CASE("store: a spoilt slot is passed over for the one before") {
  CutEeprom eeprom;
  Calibration calibration;
  Store store(eeprom);
  store.load(calibration);
  for (uint32_t n = 1; n <= 100; ++n) {
    store.save_counters(Counters{n, n, n}, 1);
    poll_all(store);
  }
  const size_t newest = RING_AT + 99 % SLOTS * SLOT_BYTES;
  for (size_t i = 0; i < SLOT_BYTES; ++i) {
    CutEeprom spoilt = eeprom;
    spoilt.bytes[newest + i] ^= 0x10;
    REQUIRE(look(spoilt).found.counters.import_ws == 99);
  }
}
