#include "store.h"

#include "crc.h"

namespace meter {

namespace {

// In a slot.
const uint8_t IMPORT_AT = 0;
const uint8_t EXPORT_AT = 4;
const uint8_t GENERATION_AT = 8;
const uint8_t BOOTS_AT = 12;
const uint8_t CRC_AT = 14;
const uint8_t SERIAL_AT = 16;
const uint16_t NONE_YET = 0xFFFF;  // so that the first slot's number is 0

static_assert(Calibration::BLOCK_BYTES <= COPY_PLACE, "a copy does not fit its place");

void put16(uint8_t* at, uint16_t value) {
  at[0] = static_cast<uint8_t>(value);
  at[1] = static_cast<uint8_t>(value >> 8);
}

void put32(uint8_t* at, uint32_t value) {
  put16(at, static_cast<uint16_t>(value));
  put16(at + 2, static_cast<uint16_t>(value >> 16));
}

uint16_t get16(const uint8_t* at) { return static_cast<uint16_t>(at[0] | at[1] << 8); }

uint32_t get32(const uint8_t* at) { return get16(at) | static_cast<uint32_t>(get16(at + 2)) << 16; }

// Over all of a slot but the CRC itself.
uint16_t crc_of_slot(const uint8_t* slot) {
  uint16_t crc = crc16(slot, CRC_AT);
  for (uint8_t i = SERIAL_AT; i < SLOT_BYTES; ++i) crc = crc16(crc, slot[i]);
  return crc;
}

uint16_t address_of_slot(uint8_t slot) { return static_cast<uint16_t>(RING_AT + SLOT_BYTES * slot); }

uint8_t slot_after(uint8_t slot) { return static_cast<uint8_t>(slot + 1 < SLOTS ? slot + 1 : 0); }

struct Copy {
  ByteStore* bytes;
  uint16_t address;
};

uint8_t read_copy(void* context, uint16_t index) {
  const Copy& copy = *static_cast<const Copy*>(context);
  return copy.bytes->read(static_cast<uint16_t>(copy.address + index));
}

uint16_t address_of_copy(uint8_t copy) { return static_cast<uint16_t>(COPY_PLACE * copy); }

}  // namespace

Store::Store(ByteStore& bytes)
    : bytes_(bytes), serial_(NONE_YET), slot_(0), slot_left_(0), text_(), calibration_(0), stale_(), sound_(),
      copy_(COPIES), copy_step_(0) {}

Store::Found Store::load(Calibration& calibration) {
  Found found = Found();
  find_newest(found);
  for (uint8_t copy = 0; copy < COPIES && !found.calibrated; ++copy) {
    Copy source = {&bytes_, address_of_copy(copy)};
    found.calibrated = calibration.load(read_copy, &source);
  }
  if (!found.calibrated) {
    calibration.reset();
    return found;
  }
  // The other copy may have been broken off, or be of the time before the last save.
  for (uint8_t copy = 0; copy < COPIES; ++copy) {
    sound_[copy] = copy_holds(copy, calibration);
    stale_[copy] = !sound_[copy];
  }
  calibration_ = &calibration;
  choose_copy();
  return found;
}

void Store::find_newest(Found& found) {
  bool any = false;
  for (uint8_t slot = 0; slot < SLOTS; ++slot) {
    uint8_t text[SLOT_BYTES];
    const uint16_t address = address_of_slot(slot);
    for (uint8_t i = 0; i < SLOT_BYTES; ++i) text[i] = bytes_.read(static_cast<uint16_t>(address + i));
    if (crc_of_slot(text) != get16(text + CRC_AT)) continue;
    // Serial numbers wrap; those in the ring are never far apart.
    const uint16_t serial = get16(text + SERIAL_AT);
    if (any && static_cast<uint16_t>(serial - serial_) >= 0x8000) continue;
    any = true;
    serial_ = serial;
    slot_ = slot_after(slot);
    found.counters.import_ws = get32(text + IMPORT_AT);
    found.counters.export_ws = get32(text + EXPORT_AT);
    found.counters.generation_ws = get32(text + GENERATION_AT);
    found.boots = get16(text + BOOTS_AT);
  }
}

// --- counters -----------------------------------------------------------------------------------------

void Store::save_counters(const Counters& counters, uint16_t boots) {
  // A slot whose serial number is begun may be taken for the newest: it is left as it is.
  const bool serial_begun = slot_left_ > 0 && slot_left_ < SLOT_BYTES + 1 - SERIAL_AT;
  if (serial_begun) next_slot();
  put32(text_ + IMPORT_AT, counters.import_ws);
  put32(text_ + EXPORT_AT, counters.export_ws);
  put32(text_ + GENERATION_AT, counters.generation_ws);
  put16(text_ + BOOTS_AT, boots);
  put16(text_ + SERIAL_AT, static_cast<uint16_t>(serial_ + 1));
  put16(text_ + CRC_AT, crc_of_slot(text_));
  slot_left_ = SLOT_BYTES + 1;  // the last step waits until the last byte stands
}

void Store::next_slot() {
  ++serial_;
  slot_ = slot_after(slot_);
}

void Store::poll_counters() {
  // Bytes that stand there already are passed over at once: the supply may be going.
  while (slot_left_ > 1) {
    const uint8_t index = static_cast<uint8_t>(SLOT_BYTES + 1 - slot_left_);
    const uint16_t address = static_cast<uint16_t>(address_of_slot(slot_) + index);
    --slot_left_;
    if (bytes_.read(address) != text_[index]) {
      bytes_.write(address, text_[index]);
      return;
    }
  }
  slot_left_ = 0;
  next_slot();
}

// --- calibration --------------------------------------------------------------------------------------

bool Store::copy_holds(uint8_t copy, const Calibration& calibration) {
  const uint16_t address = address_of_copy(copy);
  for (uint16_t i = 0; i < Calibration::BLOCK_BYTES; ++i) {
    if (bytes_.read(static_cast<uint16_t>(address + i)) != calibration.block_byte(i)) return false;
  }
  return true;
}

void Store::save_calibration(const Calibration& calibration) {
  calibration_ = &calibration;
  for (uint8_t copy = 0; copy < COPIES; ++copy) stale_[copy] = true;
  choose_copy();
}

// The next to be written: one that is no good anyway before one that is.
void Store::choose_copy() {
  copy_ = COPIES;
  for (uint8_t copy = COPIES; copy > 0; --copy) {
    const uint8_t candidate = static_cast<uint8_t>(copy - 1);
    if (stale_[candidate] && (copy_ == COPIES || sound_[copy_] || !sound_[candidate])) copy_ = candidate;
  }
  if (copy_ < COPIES) sound_[copy_] = false;
  copy_step_ = 0;
}

// The block's first byte is spoilt first and set right last: between, the copy is none.
void Store::poll_calibration() {
  const uint16_t address = address_of_copy(copy_);
  const uint8_t step = copy_step_++;
  if (step == 0) {
    bytes_.write(address, static_cast<uint8_t>(~calibration_->block_byte(0)));
  } else if (step < Calibration::BLOCK_BYTES) {
    bytes_.write(static_cast<uint16_t>(address + step), calibration_->block_byte(step));
  } else if (step == Calibration::BLOCK_BYTES) {
    bytes_.write(address, calibration_->block_byte(0));
  } else {
    sound_[copy_] = true;
    stale_[copy_] = false;
    choose_copy();
  }
}

void Store::poll() {
  if (!bytes_.ready()) return;
  if (saving_counters()) {
    poll_counters();
  } else if (saving_calibration()) {
    poll_calibration();
  }
}

}  // namespace meter
