#include "meter.h"

namespace meter {

namespace {

const int32_t PPM = 1000000;

// Whether a counter that wraps is the same or was counted on.
bool not_behind(uint32_t counter, uint32_t other) { return counter - other < 0x80000000UL; }

bool not_behind(const Counters& counters, const Counters& other) {
  return not_behind(counters.import_ws, other.import_ws) && not_behind(counters.export_ws, other.export_ws) &&
         not_behind(counters.generation_ws, other.generation_ws);
}

// Changes whenever a counter does: they only ever rise.
uint32_t sum(const Counters& counters) {
  return counters.import_ws + counters.export_ws + counters.generation_ws;
}

}  // namespace

Meter::Meter(ByteStore& bytes)
    : store_(bytes), command_(), measure_(calibration_), reading_(), sums_(nullptr), covered_ms_(), slot_covers_ms_(0),
      into_slot_ms_(0), into_second_ms_(0), side_(TIE), ended_side_(TIE), count_ms_(0), time_ms_(0), drift_(0),
      boot_id_(0), sequence_(0), saved_at_ms_(0), saved_sum_(0), brown_out_packets_(0), replies_(), reply_count_(0),
      told_(NO_COMMAND), second_waits_(false), packet_waits_(false), echo_waits_(false), saved_waits_(false),
      line_refused_(false), pulse_refused_(false), calibrated_(false), supply_went_(false) {}

void Meter::begin(bool brown_out, const Counters* kept, uint32_t now_ms) {
  const Store::Found found = store_.load(calibration_);
  const bool nothing_stored = found.boots == 0;
  calibrated_ = found.calibrated;
  energy_.restore(kept && (nothing_stored || not_behind(*kept, found.counters)) ? *kept : found.counters);
  const uint16_t start = static_cast<uint16_t>(found.boots + 1);
  boot_id_ = static_cast<uint32_t>(calibration_.get(SERIAL_NUMBER)) << 16 | start;
  brown_out_packets_ = brown_out ? BROWN_OUT_PACKETS : 0;
  count_ms_ = time_ms_ = now_ms;
  clock_ = Clock(now_ms);
  save_counters();  // with the number of this start
}

void Meter::edge(uint32_t at, Squares squares) {
  // Until the last slot is worked off, its angles are still needed; the new slot's first edges are not.
  if (!sums_) measure_.edge(at, squares);
}

void Meter::capture(uint32_t at) { measure_.capture(at); }

void Meter::tick(uint32_t now_ms, bool generator_contact, bool grid_contact) {
  for (; count_ms_ != now_ms; ++count_ms_) {
    generator_contact_.tick(generator_contact);
    grid_contact_.tick(grid_contact);
    // A crystal that is fast counts some milliseconds too many, one that is slow too few.
    drift_ += calibration_.get(CLOCK_PPM);
    if (drift_ >= PPM) {
      drift_ -= PPM;
      continue;
    }
    pass_ms();
    if (drift_ <= -PPM) {
      drift_ += PPM;
      pass_ms();
    }
  }
  clock_.tick(time_ms_);
  if (time_ms_ - saved_at_ms_ < SAVE_MS) return;
  saved_at_ms_ = time_ms_;
  if (sum(counters()) != saved_sum_) save_counters();
}

void Meter::pass_ms() {
  ++time_ms_;
  ++covered_ms_[TIE];
  ++covered_ms_[GENERATOR];
  if (++into_slot_ms_ == SLOT_MS) {
    into_slot_ms_ = 0;
    side_ = side_ == TIE ? GENERATOR : TIE;
  }
  if (++into_second_ms_ == PACKET_MS) {
    into_second_ms_ = 0;
    second_waits_ = true;
  }
}

void Meter::slot_ended(const AdcSums& sums) {
  while (sums_) end_slot();  // the main loop was very late
  sums_ = &sums;
  ended_side_ = side_ == TIE ? GENERATOR : TIE;
  // Between two slots of a side the other one's was measured: nothing is counted twice or left out.
  slot_covers_ms_ = static_cast<uint16_t>(covered_ms_[ended_side_] - into_slot_ms_);
  covered_ms_[ended_side_] = into_slot_ms_;
}

bool Meter::work() {
  if (sums_) {
    end_slot();
    return true;
  }
  if (second_waits_) {
    second_waits_ = !measure_.end_second(reading_);
    packet_waits_ = !second_waits_;
    return true;
  }
  if (tell_house()) return true;
  store_.poll();
  if (saved_waits_ && !store_.saving_calibration() && reply_count_ < REPLIES) {
    saved_waits_ = false;
    calibrated_ = true;
    reply(SAVED);
  }
  return false;
}

void Meter::end_slot() {
  if (!measure_.end_slot(ended_side_, *sums_, slot_covers_ms_, energy_)) return;
  sums_ = nullptr;
  measure_.begin_slot();
  look_at_supply();
}

void Meter::look_at_supply() {
  if (measure_.supply() >= LOW_SUPPLY_V) supply_went_ = false;
  if (measure_.supply() >= SAVE_SUPPLY_V || supply_went_) return;
  supply_went_ = true;
  save_counters();
}

void Meter::save_counters() {
  saved_at_ms_ = time_ms_;
  saved_sum_ = sum(counters());
  store_.save_counters(counters(), static_cast<uint16_t>(boot_id_ & 0xFFFF));
}

// Begins a packet if one waits; regular ones first, and in time.
bool Meter::tell_house() {
  if (writer_.busy()) return false;
  if (packet_waits_) {
    packet_waits_ = false;
    begin_packet(true);
    return true;
  }
  if (pulser_.state() != told_) echo_waits_ = true;
  // Before the first second there is nothing to tell of the mains, and zeros would be a lie.
  if (!echo_waits_ || sequence_ == 0 || quiet()) return false;
  begin_packet(false);
  return true;
}

void Meter::begin_packet(bool regular) {
  Packet packet;
  packet.boot_id = boot_id_;
  packet.uptime_ms = clock_.uptime_ms();
  packet.sequence = sequence_++;
  packet.reading = reading_;
  packet.counters = counters();
  packet.generator_closed = generator_contact_.closed();
  packet.grid_closed = grid_contact_.closed();
  packet.flags = flags(regular);
  packet.command_id = pulser_.id();
  packet.command_state = told_ = pulser_.state();
  echo_waits_ = false;
  writer_.begin(packet);
}

uint16_t Meter::flags(bool regular) {
  uint16_t flags = reading_.flags;
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
  Command command;
  switch (reader_.feed(byte, command)) {
    case NOTHING:
      return false;
    case FAULT:
      line_refused_ = true;
      return false;
    case COMMAND:
      break;
  }
  if (command.kind != RAISE && command.kind != LOWER) {
    take(command);
    return false;
  }
  command_ = command;
  // The timer's milliseconds are the crystal's: of a fast one it takes more.
  const int32_t width_ms = command.width_ms;
  command_.width_ms = static_cast<uint16_t>(width_ms + width_ms * calibration_.get(CLOCK_PPM) / PPM);
  return true;
}

void Meter::obey() {
  if (pulser_.command(command_.id, command_.kind == RAISE, command_.width_ms) == REFUSED) pulse_refused_ = true;
  echo_waits_ = true;
}

void Meter::take(const Command& command) {
  if (reply_count_ == REPLIES) {  // whoever does not wait for answers gets none
    line_refused_ = true;
    return;
  }
  if (command.kind == CAL_SAVE) {
    store_.save_calibration(calibration_);
    saved_waits_ = true;
    return;
  }
  // What is being written must stay what it is.
  const bool refused =
      command.kind == CAL_SET && (store_.saving_calibration() || !calibration_.set(command.item, command.value));
  reply(static_cast<uint8_t>(command.item | (refused ? REFUSED_ITEM : 0)));
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
