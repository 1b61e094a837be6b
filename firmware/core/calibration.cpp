#include "calibration.h"

#include "crc.h"

namespace meter {

namespace {

bool is_gain(uint8_t item) {
  return item < VOLTAGE_OFFSET || (item >= CURRENT_GAIN && item < CURRENT_OFFSET);
}

int32_t nominal(uint8_t item) { return is_gain(item) ? 1000000 : item == BANDGAP_UV ? 1100000 : 0; }

typedef uint8_t (*ReadByte)(void* context, uint16_t index);

const uint16_t CRC_AT = Calibration::BLOCK_BYTES - 2;

uint16_t crc_of(ReadByte read, void* context) {
  uint16_t crc = CRC_START;
  for (uint16_t i = 0; i < CRC_AT; ++i) crc = crc16(crc, read(context, i));
  return crc;
}

// Not inlined: that saves 100 bytes of flash.
[[gnu::noinline]] int32_t value_of(uint8_t item, ReadByte read, void* context) {
  uint32_t bits = 0;
  for (uint8_t i = 4; i > 0; --i) bits = bits << 8 | read(context, static_cast<uint16_t>(4 * item + i));
  return static_cast<int32_t>(bits);
}

bool sound(ReadByte read, void* context) {
  const uint16_t stored = static_cast<uint16_t>(read(context, CRC_AT) | read(context, CRC_AT + 1) << 8);
  if (read(context, 0) != Calibration::BLOCK_VERSION || stored != crc_of(read, context)) return false;
  for (uint8_t item = 0; item < ITEMS; ++item) {
    if (!within_limits(static_cast<Item>(item), value_of(item, read, context))) return false;
  }
  return true;
}

uint8_t own_byte(void* calibration, uint16_t index) {
  return static_cast<const Calibration*>(calibration)->block_byte(index);
}

}  // namespace

bool within_limits(Item item, int32_t value) {
  uint32_t above_least = static_cast<uint32_t>(value);
  uint32_t span;
  if (is_gain(item)) {
    above_least -= 500000;
    span = 1500000;
  } else if (item == BANDGAP_UV) {
    above_least -= 900000;
    span = 400000;
  } else if (item >= DIODE_DROP_MV) {
    span = item == DIODE_DROP_MV ? 2000 : 65535;
  } else {  // offsets, angles and the clock are nothing nominally, and may be as much to either side
    const uint16_t most = item >= CURRENT_OFFSET && item < CURRENT_ANGLE ? 1000 : 20000;
    above_least += most;
    span = 2 * most;
  }
  return item < ITEMS && above_least <= span;
}

Calibration::Calibration() { reset(); }

void Calibration::reset() {
  for (uint8_t item = 0; item < ITEMS; ++item) value_[item] = nominal(item);
}

bool Calibration::set(Item item, int32_t value) {
  if (!within_limits(item, value)) return false;
  value_[item] = value;
  return true;
}

uint8_t Calibration::block_byte(uint16_t index) const {
  if (index == 0) return BLOCK_VERSION;
  if (index >= CRC_AT) {
    const uint16_t crc = crc_of(own_byte, const_cast<Calibration*>(this));
    return static_cast<uint8_t>(index == CRC_AT ? crc : crc >> 8);
  }
  const uint16_t place = static_cast<uint16_t>(index - 1);
  const uint32_t bits = static_cast<uint32_t>(value_[place / 4]);
  return static_cast<uint8_t>(bits >> (8 * (place % 4)));
}

bool Calibration::load(ReadByte read, void* context) {
  if (!sound(read, context)) return false;
  for (uint8_t item = 0; item < ITEMS; ++item) value_[item] = value_of(item, read, context);
  return true;
}

namespace {

const char OTHER_NAMES[] = "BGUCLKDIOSNR";

// Three items a letter pair, in the order of Item.
void per_phase_name(uint8_t item, char* name) {
  char place = 'V';
  uint8_t quantity = static_cast<uint8_t>(item / PHASES);
  if (item >= CURRENT_GAIN) {
    quantity = static_cast<uint8_t>(quantity - CURRENT_GAIN / PHASES);
    place = quantity % SIDES == TIE ? 'I' : 'G';
    quantity /= SIDES;
  }
  name[0] = place;
  name[1] = static_cast<char>('1' + item % PHASES);
  name[2] = quantity == 0 ? 'G' : quantity == 1 ? 'O' : 'A';
}

}  // namespace

void name_of(Item item, char* name) {
  if (item < BANDGAP_UV) return per_phase_name(item, name);
  const char* const its = OTHER_NAMES + NAME_LENGTH * (item - BANDGAP_UV);
  for (uint8_t i = 0; i < NAME_LENGTH; ++i) name[i] = its[i];
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
