#include "meter.h"

namespace meter {

namespace {

const int32_t PPM = 1000000;
const uint32_t NONE_YET = 0xFFFFFFFF;  // so that the first packet's number is 0

// Changes whenever a counter does: they only ever rise.
uint32_t sum(const Counters& counters) {
  return counters.import_ws + counters.export_ws + counters.generation_ws;
}

// Whether these can be what has become of those since they were saved. A RAM that lost its supply has a good CRC
// by chance once in thousands of starts: that must never be billed.
bool may_follow(const Counters& counters, const Counters& saved) {
  return counters.import_ws - saved.import_ws < MOST_UNSAVED_WS &&  // they wrap
         counters.export_ws - saved.export_ws < MOST_UNSAVED_WS &&
         counters.generation_ws - saved.generation_ws < MOST_UNSAVED_WS;
}

}  // namespace

Meter::Meter(ByteStore& bytes) : MeterState(), store_(bytes), measure_(calibration_) {}

void Meter::begin(bool brown_out, const Counters* kept, uint32_t now_ms) {
  const Store::Found found = store_.load(calibration_);
  const bool nothing_stored = found.boots == 0;
  calibrated_ = found.calibrated;
  energy_.restore(kept && (nothing_stored || may_follow(*kept, found.counters)) ? *kept : found.counters);
  const uint16_t start = static_cast<uint16_t>(found.boots + 1);
  packet_.boot_id = static_cast<uint32_t>(calibration_.get(SERIAL_NUMBER)) << 16 | start;
  packet_.sequence = NONE_YET;
  if (brown_out) brown_out_packets_ = BROWN_OUT_PACKETS;
  count_ms_ = time_ms_ = now_ms;
  ended_at_ms_[TIE] = ended_at_ms_[GENERATOR] = static_cast<uint16_t>(now_ms);
  clock_ = Clock(now_ms);
  save_counters();  // with the number of this start
}

void Meter::edge(uint32_t at, Squares squares) {
  // Until the last slot is worked off, its angles are still needed; the new slot's first edges are not.
  if (!sums_) measure_.edge(at, squares);
}

void Meter::capture(uint32_t at) { measure_.capture(at); }

void Meter::tick(uint32_t now_ms, bool generator_contact, bool grid_contact) {
  // Of a crystal that is fast a true millisecond takes more than one of its own.
  const uint32_t true_ms = static_cast<uint32_t>(PPM + calibration_.get(CLOCK_PPM));
  for (; count_ms_ != now_ms; ++count_ms_) {
    generator_contact_.tick(generator_contact);
    grid_contact_.tick(grid_contact);
    for (part_ms_ += PPM; part_ms_ >= true_ms; part_ms_ -= true_ms) pass_ms();
  }
  clock_.tick(time_ms_);
}

void Meter::pass_ms() {
  ++time_ms_;
  if (++into_slot_ms_ < SLOT_MS) return;
  into_slot_ms_ = 0;
  if (++slot_ < SLOTS_A_SECOND) return;
  slot_ = 0;
  second_waits_ = true;
}

void Meter::slot_ended(const AdcSums& sums) {
  while (sums_) end_slot();  // the main loop was very late
  sums_ = &sums;
  ended_side_ = side() == TIE ? GENERATOR : TIE;
  // Between two slots of a side the other one's was measured: nothing is counted twice or left out.
  const uint16_t ended_at_ms = static_cast<uint16_t>(time_ms_ - into_slot_ms_);
  covers_ms_ = static_cast<uint16_t>(ended_at_ms - ended_at_ms_[ended_side_]);
  ended_at_ms_[ended_side_] = ended_at_ms;
}

bool Meter::work() {
  if (sums_) {
    end_slot();
    return true;
  }
  if (!writer_.busy()) {
    if (second_waits_) {
      end_second();
      return true;
    }
    if (pulser_.state() != packet_.command_state) echo_waits_ = true;
    // Before the first second there is nothing to tell of the mains, and zeros would be a lie.
    if (echo_waits_ && packet_.sequence != NONE_YET && !quiet()) {
      begin_packet(false);
      return true;
    }
  }
  look_at_store();
  return false;
}

void Meter::end_slot() {
  if (!measure_.end_slot(ended_side_, *sums_, covers_ms_, energy_)) return;
  sums_ = nullptr;
  measure_.begin_slot();
  look_at_supply();
}

void Meter::look_at_supply() {
  // A supply that swings must not write the EEPROM to its death.
  if (measure_.supply() >= LOW_SUPPLY_V && unsaved_s_ >= SWING_S) supply_went_ = false;
  if (measure_.supply() >= SAVE_SUPPLY_V || supply_went_) return;
  supply_went_ = true;
  save_counters();
}

void Meter::end_second() {
  if (!measure_.end_second(packet_.reading)) return;
  second_waits_ = false;
  begin_packet(true);
  if (++unsaved_s_ >= SAVE_S && sum(counters()) != saved_sum_) save_counters();
}

void Meter::look_at_store() {
  store_.poll();
  if (!saved_waits_ || store_.saving_calibration() || reply_count_ == REPLIES) return;
  saved_waits_ = false;
  calibrated_ = true;
  reply(SAVED);
}

void Meter::save_counters() {
  unsaved_s_ = 0;
  saved_sum_ = sum(counters());
  store_.save_counters(counters(), static_cast<uint16_t>(packet_.boot_id));
}

void Meter::begin_packet(bool regular) {
  ++packet_.sequence;
  packet_.uptime_ms = clock_.uptime_ms();
  packet_.counters = counters();
  packet_.generator_closed = generator_contact_.closed();
  packet_.grid_closed = grid_contact_.closed();
  packet_.command_id = pulser_.id();
  packet_.command_state = pulser_.state();
  packet_.flags = flags(regular);
  echo_waits_ = false;
  writer_.begin(packet_);
}

// Of the packet that is begun now: what it says once is forgotten.
uint16_t Meter::flags(bool regular) {
  uint16_t flags = packet_.reading.flags;
  if (!calibrated_) flags |= CALIBRATION_BAD;
  if (brown_out_packets_ > 0) flags |= BROWN_OUT_RESTART;
  if (pulse_refused_ || (regular && line_refused_)) flags |= COMMAND_REFUSED;
  pulse_refused_ = false;
  if (!regular) return flags;
  line_refused_ = false;
  if (brown_out_packets_ > 0) --brown_out_packets_;
  return flags;
}

bool Meter::receive(char byte) {
  switch (reader_.feed(byte, command_)) {
    case NOTHING:
      return false;
    case FAULT:
      line_refused_ = true;
      return false;
    case COMMAND:
      break;
  }
  if (command_.kind != RAISE && command_.kind != LOWER) {
    calibrate();
    return false;
  }
  // The timer's milliseconds are the crystal's: of a fast one it takes more.
  const int32_t width_ms = command_.width_ms;
  command_.width_ms = static_cast<uint16_t>(width_ms + width_ms * calibration_.get(CLOCK_PPM) / PPM);
  return true;
}

void Meter::obey() {
  const bool raise = command_.kind == RAISE;
  if (pulser_.command(command_.id, raise, command_.width_ms) == REFUSED) pulse_refused_ = true;
  echo_waits_ = true;
}

void Meter::calibrate() {
  if (reply_count_ == REPLIES) {  // whoever does not wait for answers gets none
    line_refused_ = true;
    return;
  }
  const Item item = command_.item;
  if (command_.kind == CAL_SAVE) {
    store_.save_calibration(calibration_);
    saved_waits_ = true;
    return;
  }
  // What is being written must stay what it is.
  const bool refused =
      command_.kind == CAL_SET && (store_.saving_calibration() || !calibration_.set(item, command_.value));
  reply(static_cast<uint8_t>(item | (refused ? REFUSED_ITEM : 0)));
}

uint8_t Meter::send(char* text, uint8_t room) {
  if (room < CAL_LINE) return 0;
  if (writer_.busy()) return writer_.next(text);
  return reply_count_ > 0 && !quiet() ? next_reply(text) : 0;
}

uint8_t Meter::next_reply(char* text) {
  const uint8_t what = replies_[0];
  --reply_count_;
  for (uint8_t i = 0; i < reply_count_; ++i) replies_[i] = replies_[i + 1];
  if (what == SAVED) return write_saved(text);
  const Item item = static_cast<Item>(what & ~REFUSED_ITEM);
  return write_calibration(item, calibration_.get(item), what & REFUSED_ITEM, text);
}

}  // namespace meter
