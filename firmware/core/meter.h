// The meter: everything between the pins and the serial line that is not a register of the ATmega.
#pragma once

#include <stdint.h>

#include "clock.h"
#include "debounce.h"
#include "line.h"
#include "measure.h"
#include "packet.h"
#include "pulse.h"
#include "store.h"

namespace meter {

const uint16_t SLOT_MS = 100;      // the multiplexer stays so long on a side
const uint16_t SETTLE_MS = 2;      // of which the first are not measured
const uint16_t PACKET_MS = 1000;
const uint32_t SAVE_MS = 300000;   // counters to EEPROM
const float SAVE_SUPPLY_V = 4.4f;  // at once: the supply is going
const uint8_t BROWN_OUT_PACKETS = 60;  // carry the flag of a restart after a brown-out

// Owns all parts. The sketch calls it from its main loop; only `pulser` is touched in an interrupt.
class Meter {
 public:
  explicit Meter(ByteStore& bytes);

  // `kept`: counters that outlived the reset in RAM, or null. They win over the EEPROM's if not behind them.
  void begin(bool brown_out, const Counters* kept, uint32_t now_ms);

  void edge(uint32_t at, Squares squares);
  void capture(uint32_t at);

  // Every millisecond, from the main loop; late calls are made up for.
  void tick(uint32_t now_ms, bool generator_contact, bool grid_contact);

  // A little of the work that is waiting; returns whether there is more. Never longer than about 2 ms.
  bool work();

  // Which side the multiplexer must show now, and what the ADC added up meanwhile when that changes.
  Side side() const;
  void slot_ended(const AdcSums& sums);

  void receive(char byte);
  // The next piece to send, if there is one and `room` is enough for it.
  uint8_t send(char* text, uint8_t room);

  Pulser& pulser();
  const Counters& counters() const;

 private:
  // by whoever writes it
};

}  // namespace meter
