// The meter's sketch for an Arduino Uno: carries between the pins and the meter (../core). See docs/meter.md.
#undef degrees  // a macro of Arduino.h, a function here
#include <avr/wdt.h>
#include <meter.h>
#include <util/atomic.h>
#include <util/delay.h>

#include "board.h"

static board::Eeprom eeprom;
static meter::Meter the_meter(eeprom);

static void take_edges() {
  uint32_t at;
  meter::Squares squares;
  while (board::next_edge(at, squares)) the_meter.edge(at, squares);
  if (board::next_capture(at)) the_meter.capture(at);
}

static void pass_time() {
  static uint32_t last_ms;
  const uint32_t now_ms = board::now_ms();
  if (now_ms == last_ms) return;
  last_ms = now_ms;
  const meter::Side side = the_meter.side();
  the_meter.tick(now_ms, board::generator_contact(), board::grid_contact());
  if (the_meter.side() == side) return;
  take_edges();  // those of the slot that ends
  the_meter.slot_ended(board::show(the_meter.side()));
}

static void receive() {
  while (Serial.available()) {
    if (!the_meter.receive(static_cast<char>(Serial.read()))) continue;
    ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { the_meter.obey(); }
  }
}

static void send() {
  char text[meter::CAL_LINE];
  while (const uint8_t length = the_meter.send(text, static_cast<uint8_t>(Serial.availableForWrite()))) {
    Serial.write(text, length);
  }
}

void setup() {
  Serial.begin(115200);
  _delay_ms(meter::REST_MS);  // a pulse that the reset broke off rests as any other does
  the_meter.begin(board::restarted_by_brown_out(), board::kept_counters(), board::now_ms());
  board::begin(the_meter.pulser());
}

void loop() {
  wdt_reset();
  take_edges();
  pass_time();
  receive();
  send();
  if (the_meter.work()) return;
  board::keep(the_meter.counters());
  board::sleep();
}
