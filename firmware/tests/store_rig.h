// For tests of what outlives the supply: an EEPROM that takes its time, counts its writes and can be cut off.
#pragma once

#include <doctest/doctest.h>

#include <random>
#include <vector>

#include "../core/store.h"

namespace store_rig {

class CutEeprom : public meter::ByteStore {
 public:
  explicit CutEeprom(uint32_t seed = 0)
      : bytes(meter::STORE_BYTES, 0xFF), writes(meter::STORE_BYTES, 0), random_(seed) {}

  uint8_t read(uint16_t address) override { return bytes.at(address); }

  bool ready() override {
    if (busy_ == 0) return true;
    --busy_;
    return false;
  }

  void write(uint16_t address, uint8_t byte) override {
    REQUIRE(busy_ == 0);
    if (dead || bytes.at(address) == byte) return;
    busy_ = 2;
    ++writes.at(address);
    ++written;
    if (writes_left == 0) {
      dead = true;
      bytes.at(address) = broken_off(bytes.at(address), byte);
      return;
    }
    if (writes_left > 0) --writes_left;
    bytes.at(address) = byte;
  }

  // The supply goes during the write after so many more.
  void cut_after(int more) { writes_left = more; }
  // And comes back.
  void revive() {
    writes_left = -1;
    dead = false;
    busy_ = 0;
  }

  std::vector<uint8_t> bytes;
  std::vector<int> writes;  // of each byte
  int written = 0;
  bool dead = false;

 private:
  // The byte may be as it was, erased, as it was to be, or anything.
  uint8_t broken_off(uint8_t before, uint8_t after) {
    switch (random_() % 4) {
      case 0: return before;
      case 1: return 0xFF;
      case 2: return after;
      default: return static_cast<uint8_t>(random_());
    }
  }

  int writes_left = -1;  // none is the last
  int busy_ = 0;
  std::mt19937 random_;
};

inline bool same(const meter::Counters& a, const meter::Counters& b) {
  return a.import_ws == b.import_ws && a.export_ws == b.export_ws && a.generation_ws == b.generation_ws;
}

inline bool same(const meter::Calibration& a, const meter::Calibration& b) {
  for (uint8_t item = 0; item < meter::ITEMS; ++item) {
    if (a.get(static_cast<meter::Item>(item)) != b.get(static_cast<meter::Item>(item))) return false;
  }
  return true;
}

inline void poll_all(meter::Store& store) {
  int polls = 0;
  while (store.saving_counters() || store.saving_calibration()) {
    store.poll();
    REQUIRE(++polls < 3000);
  }
}

struct Loaded {
  meter::Calibration calibration;
  meter::Store::Found found;
};

// What a meter finds that starts with these bytes; nothing is written.
inline Loaded look(CutEeprom& eeprom) {
  Loaded loaded = Loaded();
  meter::Store store(eeprom);
  loaded.found = store.load(loaded.calibration);
  return loaded;
}

}  // namespace store_rig
