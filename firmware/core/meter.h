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

const uint8_t SLOT_MS = 100;         // the multiplexer stays so long on a side
const uint8_t SETTLE_MS = 2;         // of which the first are not measured
const uint8_t SLOTS_A_SECOND = 10;   // an even number, so that each side has its own
const uint8_t QUIET_MS = 30;         // before a regular packet nothing else is begun: it would hold that up
const uint16_t SAVE_S = 300;         // counters to EEPROM
const uint32_t MOST_UNSAVED_WS = 1UL << 25;  // more than any meter counts until then: 100 kW
const float SAVE_SUPPLY_V = 4.4f;    // at once: the supply is going
const uint8_t SWING_S = 20;          // but not again so soon after
const uint8_t BROWN_OUT_PACKETS = 60;  // carry the flag of a restart after a brown-out
const uint8_t REPLIES = 8;             // to calibration lines, waiting to be sent

// What is zero at the start, in one piece: that takes less flash than one by one.
struct MeterState {
  uint32_t count_ms_;  // as last seen
  uint32_t time_ms_;   // the same, with the crystal's error taken out
  uint32_t part_ms_;   // what is not a whole one of these yet: 10^-6 ms
  uint8_t slot_, into_slot_ms_;

  const AdcSums* sums_;  // of the slot that ended, until it is worked off
  Side ended_side_;
  uint16_t covers_ms_;            // that slot
  uint16_t ended_at_ms_[SIDES];  // the last slots; low half of the time

  uint32_t saved_sum_;
  uint16_t unsaved_s_;
  uint8_t brown_out_packets_;
  uint8_t replies_[REPLIES], reply_count_;
  bool second_waits_, echo_waits_, saved_waits_;
  bool line_refused_, pulse_refused_, calibrated_, supply_went_;

  Packet packet_;    // the last, as it was told
  Command command_;  // the last; a pulse until it is obeyed
};

// Owns all parts. The sketch calls it from its main loop; only `pulser` is touched in an interrupt.
class Meter : private MeterState {
 public:
  explicit Meter(ByteStore& bytes);

  // `kept`: counters that outlived the reset in RAM, or null. They win over the EEPROM's if they can have
  // come from them.
  void begin(bool brown_out, const Counters* kept, uint32_t now_ms);

  // Edges of before a `slot_ended` come before it.
  void edge(uint32_t at, Squares squares);
  void capture(uint32_t at);

  // Every millisecond, from the main loop; late calls are made up for.
  void tick(uint32_t now_ms, bool generator_contact, bool grid_contact);

  // A little of the work that is waiting; returns whether there is more. Never longer than about 2 ms.
  bool work();

  // Which side the multiplexer must show now. When that changes, what the ADC added up for the other one
  // until then: it must stay as it is until the next change.
  Side side() const { return slot_ % SIDES == 0 ? TIE : GENERATOR; }
  void slot_ended(const AdcSums& sums);

  // True if a pulse is commanded: then `obey` is to be called next, with the timer's interrupt held off.
  bool receive(char byte);
  void obey();

  // The next piece to send, if there is one and `room` is enough for it; 0 if not.
  uint8_t send(char* text, uint8_t room);

  Pulser& pulser() { return pulser_; }
  const Counters& counters() const { return energy_.counters(); }

 private:
  // What a waiting reply says of an item, besides its value.
  static const uint8_t REFUSED_ITEM = 0x80;
  static const uint8_t SAVED = 0x40;  // of no item

  void pass_ms();
  void end_slot();
  void end_second();
  void look_at_supply();
  void look_at_store();
  void save_counters();
  // Whether a regular packet comes soon, or is being made.
  bool quiet() const {
    return second_waits_ || (slot_ == SLOTS_A_SECOND - 1 && into_slot_ms_ >= SLOT_MS - QUIET_MS);
  }
  void begin_packet(bool regular);
  uint16_t flags(bool regular);
  void calibrate();
  void reply(uint8_t what) { replies_[reply_count_++] = what; }
  uint8_t next_reply(char* text);

  Store store_;
  Calibration calibration_;
  Energy energy_;
  Clock clock_;
  Debounce generator_contact_, grid_contact_;
  Pulser pulser_;
  LineReader reader_;
  Measure measure_;
  PacketWriter writer_;
};

}  // namespace meter
