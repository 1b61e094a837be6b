#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <vector>

#include "../core/store.h"
#include "store_rig.h"

using namespace meter;
using namespace store_rig;

namespace {

Calibration any_calibration(std::mt19937& random) {
  Calibration calibration;
  const uint32_t changes = random() % 4 == 0 ? 200 : 1 + static_cast<uint32_t>(random() % 3);
  for (uint32_t n = 0; n < changes; ++n) {
    calibration.set(static_cast<Item>(random() % ITEMS), static_cast<int32_t>(random() % 1200001));
    calibration.set(static_cast<Item>(random() % ITEMS), static_cast<int32_t>(random() % 900));
  }
  return calibration;
}

// Copies that are sound by themselves.
int sound_copies(const CutEeprom& eeprom) {
  int sound = 0;
  for (uint16_t copy = 0; copy < COPIES; ++copy) {
    const uint8_t* at = eeprom.bytes.data() + copy * COPY_PLACE;
    const auto read = [](void* context, uint16_t i) { return (*static_cast<const uint8_t**>(context))[i]; };
    Calibration calibration;
    sound += calibration.load(read, &at) ? 1 : 0;
  }
  return sound;
}

}  // namespace

TEST_CASE("store: copy B is begun when copy A is whole, and there is always a sound one") {
  CutEeprom eeprom;
  Calibration calibration;
  Store store(eeprom);
  store.load(calibration);
  store.save_calibration(calibration);
  poll_all(store);
  CHECK(sound_copies(eeprom) == 2);
  std::mt19937 random(10);
  for (int round = 0; round < 20; ++round) {
    calibration = any_calibration(random);
    const std::vector<uint8_t> before = eeprom.bytes;
    store.save_calibration(calibration);
    for (int n = 0; store.saving_calibration(); ++n) {
      REQUIRE(n < 1000);
      store.poll();
      REQUIRE(sound_copies(eeprom) >= 1);
      bool a_whole = true, a_begun = false, b_begun = false;
      for (uint16_t i = 0; i < Calibration::BLOCK_BYTES; ++i) {
        a_whole = a_whole && eeprom.bytes[i] == calibration.block_byte(i);
        a_begun = a_begun || eeprom.bytes[i] != before[i];
        b_begun = b_begun || eeprom.bytes[COPY_PLACE + i] != before[COPY_PLACE + i];
      }
      REQUIRE((a_whole || !b_begun));
      if (a_begun && !a_whole) REQUIRE(eeprom.bytes[0] != calibration.block_byte(0));
    }
    REQUIRE(sound_copies(eeprom) == 2);
    REQUIRE(same(look(eeprom).calibration, calibration));
  }
}

TEST_CASE("store: a supply that goes at any byte leaves the previous or the new calibration") {
  std::mt19937 random(11);
  for (uint32_t round = 0; round < 8; ++round) {
    CutEeprom filled(round);
    const Calibration previous = any_calibration(random);
    Calibration scratch;
    Store first(filled);
    first.load(scratch);
    first.save_calibration(previous);
    poll_all(first);
    for (int cut = 0; cut <= 2 * (Calibration::BLOCK_BYTES + 1); ++cut) {
      CutEeprom eeprom = filled;
      Store store(eeprom);
      store.load(scratch);
      const Calibration next = any_calibration(random);
      eeprom.cut_after(cut);
      store.save_calibration(next);
      poll_all(store);
      const Loaded loaded = look(eeprom);
      REQUIRE(loaded.found.calibrated);
      const bool is_old = same(loaded.calibration, previous), is_new = same(loaded.calibration, next);
      REQUIRE((is_new || (is_old && eeprom.dead)));
    }
  }
}

TEST_CASE("store: a first calibration that is broken off is none, or the new one") {
  std::mt19937 random(12);
  for (uint32_t round = 0; round < 1000; ++round) {
    CutEeprom eeprom(round);
    Calibration scratch;
    Store store(eeprom);
    store.load(scratch);
    const Calibration next = any_calibration(random);
    eeprom.cut_after(static_cast<int>(random() % 240));
    store.save_calibration(next);
    poll_all(store);
    const Loaded loaded = look(eeprom);
    REQUIRE(same(loaded.calibration, loaded.found.calibrated ? next : Calibration()));
  }
}

TEST_CASE("store: calibrations saved, repaired and cut at random, for long, are never lost") {
  std::mt19937 random(13);
  CutEeprom eeprom(13);
  Calibration known;
  {
    Store store(eeprom);
    store.load(known);
    store.save_calibration(known);
    poll_all(store);
  }
  for (int round = 0; round < 3000; ++round) {
    eeprom.revive();
    eeprom.cut_after(static_cast<int>(random() % 400));
    Calibration calibration;
    Store store(eeprom);
    REQUIRE(store.load(calibration).calibrated);
    REQUIRE(same(calibration, known));
    std::vector<Calibration> possible(1, known);
    if (random() % 2 == 0) poll_all(store);  // sometimes a save comes in the middle of a repair
    for (int save = 0; save < 3; ++save) {
      calibration = any_calibration(random);
      possible.push_back(calibration);
      store.save_calibration(calibration);
      const uint32_t polls = random() % 2 == 0 ? static_cast<uint32_t>(random() % 700) : 3000;
      for (uint32_t n = 0; n < polls && store.saving_calibration(); ++n) {
        if (random() % 300 == 0) store.save_counters(Counters(), static_cast<uint16_t>(random()));
        store.poll();
        if (random() % 8 == 0) REQUIRE((eeprom.dead || sound_copies(eeprom) >= 1));
      }
      if (!store.saving_calibration() && !eeprom.dead) possible.erase(possible.begin(), possible.end() - 1);
    }
    const Loaded loaded = look(eeprom);
    REQUIRE(loaded.found.calibrated);
    known = loaded.calibration;
    const auto is_known = [&](const Calibration& one) { return same(one, known); };
    REQUIRE(std::any_of(possible.begin(), possible.end(), is_known));
  }
}

TEST_CASE("store: a spoilt copy is repaired from the other") {
  CutEeprom eeprom;
  Calibration calibration;
  calibration.set(BANDGAP_UV, 1098765);
  {
    Calibration scratch;
    Store store(eeprom);
    store.load(scratch);
    store.save_calibration(calibration);
    poll_all(store);
  }
  for (uint16_t copy = 0; copy < COPIES; ++copy) {
    for (uint16_t i = 0; i < Calibration::BLOCK_BYTES; ++i) {
      CutEeprom spoilt = eeprom;
      spoilt.bytes[static_cast<size_t>(copy * COPY_PLACE + i)] ^= 0x04;
      Calibration found;
      Store store(spoilt);
      REQUIRE(store.load(found).calibrated);
      REQUIRE(same(found, calibration));
      REQUIRE(store.saving_calibration());
      poll_all(store);
      REQUIRE(spoilt.bytes == eeprom.bytes);
    }
  }
}

TEST_CASE("store: both copies spoilt is no calibration, and the counters stand") {
  CutEeprom eeprom;
  Calibration calibration;
  Store store(eeprom);
  store.load(calibration);
  store.save_counters(Counters{1, 2, 3}, 4);
  store.save_calibration(calibration);
  poll_all(store);
  eeprom.bytes[5] ^= 1;
  eeprom.bytes[COPY_PLACE + 5] ^= 1;
  const Loaded loaded = look(eeprom);
  CHECK_FALSE(loaded.found.calibrated);
  CHECK(same(loaded.calibration, Calibration()));
  CHECK(same(loaded.found.counters, Counters{1, 2, 3}));
  CHECK(loaded.found.boots == 4);
}

TEST_CASE("store: counters go before a calibration that is being saved, and it is saved all the same") {
  CutEeprom eeprom;
  Calibration calibration;
  Store store(eeprom);
  store.load(calibration);
  calibration.set(SERIAL_NUMBER, 4711);
  store.save_calibration(calibration);
  for (int n = 0; n < 100; ++n) store.poll();
  store.save_counters(Counters{10, 20, 30}, 2);
  const std::vector<uint8_t> before = eeprom.bytes;
  for (int n = 0; store.saving_counters(); ++n) {
    REQUIRE(n < 1000);
    store.poll();
    REQUIRE(std::equal(before.begin(), before.begin() + RING_AT, eeprom.bytes.begin()));
  }
  CHECK(store.saving_calibration());
  CHECK(same(look(eeprom).found.counters, Counters{10, 20, 30}));
  poll_all(store);
  CHECK(sound_copies(eeprom) == 2);
  CHECK(look(eeprom).calibration.get(SERIAL_NUMBER) == 4711);
}
