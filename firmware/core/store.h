// What outlives the supply: calibration in two copies, counters in a ring of slots (EEPROM, 1024 bytes).
#pragma once

#include <stdint.h>

#include "calibration.h"
#include "energy.h"

namespace meter {

// Bytes that can be written one at a time, each when the one before is done (3.4 ms in an ATmega).
class ByteStore {
 public:
  virtual uint8_t read(uint16_t address) = 0;
  virtual bool ready() = 0;
  virtual void write(uint16_t address, uint8_t byte) = 0;  // only while ready; skips a byte that stands there

 protected:
  ~ByteStore() {}
};

const uint16_t STORE_BYTES = 1024;

// Counters and the number of the start, with a serial number and a CRC; the newest sound slot counts.
// A write that is broken off spoils its own slot only. 5 minutes apart, a slot is good for 100,000 writes
// and the ring for decades: see docs/meter.md.
class Store {
 public:
  explicit Store(ByteStore& bytes) : bytes_(bytes) {}

  // At the start. `calibrated` is false if neither copy is sound (nominal values are set then).
  struct Found {
    Counters counters;
    uint16_t boots;   // starts before this one
    bool calibrated;  // a sound copy was there
  };
  Found load(Calibration& calibration);

  // Begin to write; what is being written of the same kind is begun anew with the new values.
  void save_counters(const Counters& counters, uint16_t boots);
  void save_calibration(const Calibration& calibration);

  // Write the next byte if the store is ready. Counters go first: they may be short of time.
  void poll();
  bool saving_counters() const;
  bool saving_calibration() const;

 private:
  // by whoever writes it
  ByteStore& bytes_;
};

}  // namespace meter
