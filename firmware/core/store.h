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

// Where what stands: the calibration's copies, each with some room to grow, then the ring.
const uint8_t COPIES = 2;
const uint16_t COPY_PLACE = 128;
const uint16_t RING_AT = COPIES * COPY_PLACE;
const uint8_t SLOT_BYTES = 18;  // import, export, generation, boots, CRC, the slot's serial; little endian
const uint8_t SLOTS = (STORE_BYTES - RING_AT) / SLOT_BYTES;

// Counters and the number of the start, with a serial number and a CRC; the newest sound slot counts, and the
// oldest is written next, its serial number last: until that stands, a slot that is broken off is still the
// oldest. 5 minutes apart, a slot is good for 100,000 writes and the ring for decades: see docs/meter.md.
//
// Of the calibration's copies one is touched only while the other is sound, and from its first byte to its
// last it is none. So a supply that goes at any moment leaves the previous or the new values.
class Store {
 public:
  explicit Store(ByteStore& bytes);

  // At the start, before anything is saved. `calibrated` is false if neither copy is sound (nominal values
  // are set then). A copy that is not sound is begun to be written again from the other, so
  // `saving_calibration` may be true after this. `calibration` must live as long as the store.
  struct Found {
    Counters counters;
    uint16_t boots;   // starts before this one
    bool calibrated;  // a sound copy was there
  };
  Found load(Calibration& calibration);

  // Begin to write; what is being written of the same kind is begun anew with the new values. The calibration
  // is not kept here: it must not be changed while `saving_calibration`.
  void save_counters(const Counters& counters, uint16_t boots);
  void save_calibration(const Calibration& calibration);

  // Write the next byte if the store is ready. Counters go first: they may be short of time.
  void poll();
  bool saving_counters() const { return slot_left_ > 0; }
  bool saving_calibration() const { return copy_ < COPIES; }

 private:
  void find_newest(Found& found);
  void next_slot();
  void poll_counters();
  bool copy_holds(uint8_t copy, const Calibration& calibration);
  void choose_copy();
  void poll_calibration();

  ByteStore& bytes_;
  uint16_t serial_;            // of the newest slot
  uint8_t slot_;               // that is written next
  uint8_t slot_left_;          // steps of writing it
  uint8_t text_[SLOT_BYTES];   // what is being written there
  const Calibration* calibration_;
  bool stale_[COPIES];   // still to be written
  bool sound_[COPIES];   // the supply may go: what this copy holds is good
  uint8_t copy_;         // that is being written; COPIES: none
  uint8_t copy_step_;
};

}  // namespace meter
