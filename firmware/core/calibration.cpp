#include "calibration.h"

#include "crc.h"

namespace meter {

namespace {

// What an item is; all items of a kind have the same limits and nominal value.
struct Kind {
  int32_t least, most, nominal;
};

Kind kind(uint8_t item) {
  if (item < VOLTAGE_OFFSET) return Kind{500000, 2000000, 1000000};
  if (item < CURRENT_GAIN) return Kind{-20000, 20000, 0};
  if (item < CURRENT_OFFSET) return Kind{500000, 2000000, 1000000};
  if (item < CURRENT_ANGLE) return Kind{-1000, 1000, 0};
  if (item < BANDGAP_UV) return Kind{-20000, 20000, 0};
  switch (item) {
    case BANDGAP_UV: return Kind{900000, 1300000, 1100000};
    case CLOCK_PPM: return Kind{-20000, 20000, 0};
    case DIODE_DROP_MV: return Kind{0, 2000, 0};
    default: return Kind{0, 65535, 0};
  }
}

// The bytes of a stored block, wherever they come from.
struct Block {
  uint8_t (*read)(void* context, uint16_t index);
  void* context;

  uint8_t byte(uint16_t index) const { return read(context, index); }
  int32_t value(uint8_t item) const {
    uint32_t bits = 0;
    for (uint8_t i = 4; i > 0; --i) bits = bits << 8 | byte(static_cast<uint16_t>(4 * item + i));
    return static_cast<int32_t>(bits);
  }
};

const uint16_t CRC_AT = Calibration::BLOCK_BYTES - 2;

template <class Bytes>
uint16_t crc_of(const Bytes& bytes) {
  uint16_t crc = CRC_START;
  for (uint16_t i = 0; i < CRC_AT; ++i) crc = crc16(crc, bytes.byte(i));
  return crc;
}

bool sound(const Block& block) {
  if (block.byte(0) != Calibration::BLOCK_VERSION) return false;
  const uint16_t stored = static_cast<uint16_t>(block.byte(CRC_AT) | block.byte(CRC_AT + 1) << 8);
  if (stored != crc_of(block)) return false;
  for (uint8_t item = 0; item < ITEMS; ++item) {
    if (!within_limits(static_cast<Item>(item), block.value(item))) return false;
  }
  return true;
}

}  // namespace

bool within_limits(Item item, int32_t value) {
  const Kind limits = kind(item);
  return item < ITEMS && value >= limits.least && value <= limits.most;
}

Calibration::Calibration() { reset(); }

void Calibration::reset() {
  for (uint8_t item = 0; item < ITEMS; ++item) value_[item] = kind(item).nominal;
}

bool Calibration::set(Item item, int32_t value) {
  if (!within_limits(item, value)) return false;
  value_[item] = value;
  return true;
}

uint8_t Calibration::block_byte(uint16_t index) const {
  if (index == 0) return BLOCK_VERSION;
  if (index < CRC_AT) {
    const uint32_t bits = static_cast<uint32_t>(value_[(index - 1) / 4]);
    return static_cast<uint8_t>(bits >> (8 * ((index - 1) % 4)));
  }
  const struct {
    const Calibration& block;
    uint8_t byte(uint16_t i) const { return block.block_byte(i); }
  } bytes = {*this};
  return static_cast<uint8_t>(crc_of(bytes) >> (8 * (index - CRC_AT)));
}

bool Calibration::load(uint8_t (*read)(void* context, uint16_t index), void* context) {
  const Block block = {read, context};
  if (!sound(block)) return false;
  for (uint8_t item = 0; item < ITEMS; ++item) value_[item] = block.value(item);
  return true;
}

namespace {

// Three items a letter pair, in the order of Item.
void per_phase_name(uint8_t item, char* name) {
  const bool voltage = item < CURRENT_GAIN;
  const uint8_t within = static_cast<uint8_t>(voltage ? item : item - CURRENT_GAIN);
  const uint8_t a_quantity = voltage ? PHASES : SIDES * PHASES;
  const uint8_t quantity = static_cast<uint8_t>(within / a_quantity);
  const bool generator = within % a_quantity >= PHASES;
  name[0] = voltage ? 'V' : generator ? 'G' : 'I';
  name[1] = static_cast<char>('1' + within % PHASES);
  name[2] = quantity == 0 ? 'G' : quantity == 1 ? 'O' : 'A';
}

void copy(const char* from, char* name) {
  for (uint8_t i = 0; i < NAME_LENGTH; ++i) name[i] = from[i];
}

}  // namespace

void name_of(Item item, char* name) {
  switch (item) {
    case BANDGAP_UV: return copy("BGU", name);
    case CLOCK_PPM: return copy("CLK", name);
    case DIODE_DROP_MV: return copy("DIO", name);
    case SERIAL_NUMBER: return copy("SNR", name);
    default: return per_phase_name(item, name);
  }
}

Item item_named(const char* name, uint8_t length) {
  if (length != NAME_LENGTH) return ITEMS;
  uint8_t item = 0;
  for (; item < ITEMS; ++item) {
    char its[NAME_LENGTH];
    name_of(static_cast<Item>(item), its);
    if (its[0] == name[0] && its[1] == name[1] && its[2] == name[2]) break;
  }
  return static_cast<Item>(item);
}

}  // namespace meter
