// What the meter is wired to: phases, sides, and the bits of one look at the square waves.
#pragma once

#include <stdint.h>

namespace meter {

const uint8_t PHASES = 3;

// The two places a current is measured at. One multiplexer line switches all three phases.
enum Side : uint8_t { TIE = 0, GENERATOR = 1 };
const uint8_t SIDES = 2;

// The channels of the ADC's round, in its order: A0…A5, then the bandgap.
const uint8_t VOLTAGE_CHANNEL = 0;  // and the two after it
const uint8_t CURRENT_CHANNEL = 3;  // and the two after it, of the side the multiplexer is on
const uint8_t BANDGAP_CHANNEL = 6;
const uint8_t CHANNELS = 7;

// One look at the comparators: bit `phase` is the voltage's square wave (1 while positive), bit
// `PHASES + phase` the XOR of it and the current's (4.4.4).
typedef uint8_t Squares;

// Ticks of the clock that edges are stamped with: 2 MHz, wrapping at 2^32.
const uint32_t TICKS_PER_SECOND = 2000000;

// Bits of the packet's flags, as in docs/protocol.md.
enum Flag : uint16_t {
  VOLTAGE_SATURATED = 0x01,
  CURRENT_SATURATED = 0x02,
  REVERSE_FLOW = 0x04,  // the generator takes power instead of giving it
  CALIBRATION_BAD = 0x08,
  BROWN_OUT_RESTART = 0x10,
  COMMAND_REFUSED = 0x20,
  SUPPLY_LOW = 0x40,
};

}  // namespace meter
