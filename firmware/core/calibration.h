// What one meter was adjusted to: two points a channel, by what its parts differ from nominal ones.
#pragma once

#include <stdint.h>

#include "signals.h"

namespace meter {

// A value's place in the calibration block, and in "CAL" lines (their names stand in docs/protocol.md).
// Gains in ppm, offsets in mV or mA, angles in millidegrees.
enum Item : uint8_t {
  VOLTAGE_GAIN = 0,                        // per phase; V1G V2G V3G
  VOLTAGE_OFFSET = VOLTAGE_GAIN + PHASES,  // V1O …
  CURRENT_GAIN = VOLTAGE_OFFSET + PHASES,  // of the tie, then of the generator; I1G … G1G …
  CURRENT_OFFSET = CURRENT_GAIN + SIDES * PHASES,  // I1O … G1O …
  CURRENT_ANGLE = CURRENT_OFFSET + SIDES * PHASES,  // by which the current seems to lag too much; I1A … G1A …
  BANDGAP_UV = CURRENT_ANGLE + SIDES * PHASES,     // BGU
  CLOCK_PPM,      // by which the crystal is fast; CLK
  DIODE_DROP_MV,  // 0: active rectifiers; 1400: the source's bridges; DIO
  SERIAL_NUMBER,  // upper half of the packet's boot id; SNR
  ITEMS,
};
const uint8_t NAME_LENGTH = 3;

class Calibration {
 public:
  Calibration();  // nominal values

  int32_t get(Item item) const { return value_[item]; }
  // False, and nothing is changed, if the value is beyond what any sound meter needs.
  bool set(Item item, int32_t value);
  void reset();

  // The block as it is stored: version, values, CRC; little endian whatever the machine.
  static const uint16_t BLOCK_BYTES = 1 + 4 * ITEMS + 2;
  uint8_t block_byte(uint16_t index) const;  // computing the CRC over and over is cheaper than keeping a copy
  // False, and nothing is changed, if version, CRC or a value is wrong. `read` gives the block's bytes.
  bool load(uint8_t (*read)(void* context, uint16_t index), void* context);

  static const uint8_t BLOCK_VERSION = 1;

 private:
  int32_t value_[ITEMS];
};

// The item of a name such as "V1G"; ITEMS if there is none.
Item item_named(const char* name, uint8_t length);
// Whether a sound meter can need this value.
bool within_limits(Item item, int32_t value);
// Writes NAME_LENGTH characters, no zero.
void name_of(Item item, char* name);

}  // namespace meter
