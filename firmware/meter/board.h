// The Uno's registers: what is wired to which pin stands in docs/meter.md.
#pragma once

#include <energy.h>
#include <measure.h>
#include <pulse.h>
#include <signals.h>
#include <store.h>

namespace board {

// Takes the peripherals over from the Arduino core and starts them. The timer's interrupt runs `pulser` and
// puts its outputs on the pins.
void begin(meter::Pulser& pulser);

// Why the last start was.
bool restarted_by_brown_out();

// Counters that outlived the reset in RAM; null after a loss of power, or if they are not sound.
const meter::Counters* kept_counters();
void keep(const meter::Counters& counters);

uint32_t now_ms();

// The oldest edge that was not taken yet, with its time in ticks of 2 MHz. To be asked every 30 ms at least.
bool next_edge(uint32_t& at, meter::Squares& squares);
bool next_capture(uint32_t& at);

bool generator_contact();
bool grid_contact();

// Turns the multiplexer to a side; what the ADC added up until then. That stays until the next call.
const meter::AdcSums& show(meter::Side side);

// Sleeps until something happened that the main loop has to do with.
void sleep();

// The EEPROM.
class Eeprom : public meter::ByteStore {
 public:
  uint8_t read(uint16_t address) override;
  bool ready() override;
  void write(uint16_t address, uint8_t byte) override;
};

}  // namespace board
