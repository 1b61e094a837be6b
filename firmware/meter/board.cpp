#include "board.h"

#include <Arduino.h>
#include <avr/eeprom.h>
#include <avr/interrupt.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <util/atomic.h>
#include <crc.h>
#include <meter.h>
#include <string.h>

// Where the millisecond count starts; the tests let it wrap soon.
#ifndef FIRST_MS
#define FIRST_MS 0
#endif

namespace {

using meter::AdcSum;
using meter::AdcSums;
using meter::CHANNELS;

const uint8_t SQUARES_BIT = 2;  // D2…D7
const uint8_t SQUARES_MASK = 0x3F << SQUARES_BIT;
const uint8_t CAPTURE_PIN = _BV(PB0);            // D8
const uint8_t GENERATOR_CONTACT_PIN = _BV(PB1);  // D9
const uint8_t RAISE_PIN = _BV(PB2);              // D10
const uint8_t LOWER_PIN = _BV(PB3);              // D11
const uint8_t GRID_CONTACT_PIN = _BV(PB4);       // D12
const uint8_t SELECT_PIN = _BV(PB5);             // D13, with the LED

const uint8_t AVCC_REFERENCE = _BV(REFS0);
const uint8_t BANDGAP_INPUT = 0x0E;
// The bandgap is a weak source: the ADC's input follows it only while a first conversion goes by.
const uint8_t ROUND = CHANNELS + 1;

const uint8_t CONVERSION_US = 104;
const uint8_t SETTLE_CONVERSIONS = meter::SETTLE_MS * 1000 / CONVERSION_US + 1;

struct Snapshot {
  uint16_t stamp;
  uint8_t port;
};
const uint8_t SNAPSHOTS = 16;  // a power of two; some milliseconds of edges

meter::Pulser* pulser_;

volatile uint32_t milliseconds_ = FIRST_MS;
volatile bool awake_;

AdcSums sums_[2];
AdcSums* volatile counting_ = &sums_[0];
volatile uint8_t settling_ = SETTLE_CONVERSIONS;
uint8_t conversion_;

Snapshot snapshots_[SNAPSHOTS];
volatile uint8_t snapshots_in_;
uint8_t snapshots_out_;
volatile uint16_t capture_stamp_;
volatile bool captured_;

// Outlive every reset but a loss of power. Two copies, for a reset may come while one is being written.
struct Kept {
  meter::Counters counters;
  uint16_t crc;
};
Kept kept_[2] __attribute__((section(".noinit")));
uint8_t reset_flags_ __attribute__((section(".noinit")));

uint16_t crc_of(const Kept& kept) {
  return meter::crc16(reinterpret_cast<const uint8_t*>(&kept.counters), sizeof kept.counters);
}

// Before anything else: the watchdog that bit goes on with its shortest time. Optiboot clears the flags, and
// its newer versions hand them over in r2; older ones leave there what is no set of flags, most of the time.
void take_reset_flags() __attribute__((naked, used, section(".init3")));
void take_reset_flags() {
  uint8_t handed_over;
  asm volatile("mov %0, r2" : "=r"(handed_over));
  reset_flags_ = MCUSR;
  if (reset_flags_ == 0 && handed_over < 0x10) reset_flags_ = handed_over;
  MCUSR = 0;
  wdt_disable();
}

uint16_t low(uint32_t ticks) { return static_cast<uint16_t>(ticks); }

// Timer 1 in 32 bits: to be asked at least once while its own 16 go round, in 32.8 ms.
uint32_t ticks() {
  static uint32_t now;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { now += low(TCNT1 - low(now)); }
  return now;
}

// When a stamp was taken that is younger than that.
uint32_t extended(uint16_t stamp) {
  const uint32_t now = ticks();
  return now - low(low(now) - stamp);
}

void start_timers() {
  TIMSK0 = 0;  // Arduino's millis is not used
  TCCR1A = 0;
  TCCR1B = _BV(ICNC1) | _BV(ICES1) | _BV(CS11);  // 2 MHz, rising edges, four samples alike
  TIMSK1 = _BV(ICIE1);
  TCCR2A = _BV(WGM21);
  TCCR2B = _BV(CS22);  // 250 kHz
  OCR2A = 249;
  TIMSK2 = _BV(OCIE2A);
}

void start_adc() {
  DIDR0 = 0x3F;
  ADMUX = AVCC_REFERENCE;
  ADCSRB = 0;
  ADCSRA = _BV(ADEN) | _BV(ADIE) | _BV(ADPS2) | _BV(ADPS1) | _BV(ADPS0) | _BV(ADSC);
}

}  // namespace

ISR(ADC_vect) {
  const uint16_t counts = ADC;
  const uint8_t channel = conversion_;
  const uint8_t next = channel + 1 == ROUND ? 0 : channel + 1;
  conversion_ = next;
  ADMUX = AVCC_REFERENCE | (next < meter::BANDGAP_CHANNEL ? next : BANDGAP_INPUT);
  ADCSRA |= _BV(ADSC);
  if (settling_ > 0) {
    --settling_;
    return;
  }
  if (channel == meter::BANDGAP_CHANNEL) return;
  AdcSum& sum = counting_->channel[channel < meter::BANDGAP_CHANNEL ? channel : meter::BANDGAP_CHANNEL];
  sum.sum += counts;
  ++sum.count;
  if (counts > sum.peak) sum.peak = counts;
}

ISR(PCINT2_vect) {
  const uint16_t stamp = TCNT1;
  const uint8_t in = snapshots_in_;
  const uint8_t next = (in + 1) % SNAPSHOTS;
  snapshots_[in].stamp = stamp;
  snapshots_[in].port = PIND;
  if (next != snapshots_out_) snapshots_in_ = next;
}

ISR(TIMER1_CAPT_vect) {
  capture_stamp_ = ICR1;
  captured_ = true;
}

ISR(TIMER2_COMPA_vect) {
  ++milliseconds_;
  awake_ = true;
  meter::Pulser& pulser = *pulser_;
  pulser.tick();
  // The one is off before the other is on, even for a moment.
  if (!pulser.raising()) PORTB &= static_cast<uint8_t>(~RAISE_PIN);
  if (!pulser.lowering()) PORTB &= static_cast<uint8_t>(~LOWER_PIN);
  if (pulser.raising()) PORTB |= RAISE_PIN;
  if (pulser.lowering()) PORTB |= LOWER_PIN;
}

namespace board {

void begin(meter::Pulser& pulser) {
  pulser_ = &pulser;
  // Comparators with open collectors need the pull-ups, and inputs without a wire are quiet with them.
  PORTD |= SQUARES_MASK;
  DDRB = RAISE_PIN | LOWER_PIN | SELECT_PIN;
  PORTB = CAPTURE_PIN | GENERATOR_CONTACT_PIN | GRID_CONTACT_PIN;
  PCMSK2 = SQUARES_MASK;
  PCICR = _BV(PCIE2);
  start_timers();
  start_adc();
  set_sleep_mode(SLEEP_MODE_IDLE);
  wdt_enable(WDTO_2S);
}

bool restarted_by_brown_out() { return (reset_flags_ & (_BV(PORF) | _BV(BORF))) == _BV(BORF); }

const meter::Counters* kept_counters() {
  if (reset_flags_ & _BV(PORF)) return nullptr;
  for (const Kept& kept : kept_) {
    if (kept.crc == crc_of(kept)) return &kept.counters;
  }
  return nullptr;
}

void keep(const meter::Counters& counters) {
  if (memcmp(&counters, &kept_[1].counters, sizeof counters) == 0) return;
  for (Kept& kept : kept_) {
    kept.counters = counters;
    kept.crc = crc_of(kept);
  }
}

uint32_t now_ms() {
  uint32_t now;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) { now = milliseconds_; }
  return now;
}

bool next_edge(uint32_t& at, meter::Squares& squares) {
  const uint8_t out = snapshots_out_;
  if (out == snapshots_in_) {
    ticks();
    return false;
  }
  at = extended(snapshots_[out].stamp);
  squares = snapshots_[out].port >> SQUARES_BIT;
  snapshots_out_ = (out + 1) % SNAPSHOTS;
  return true;
}

bool next_capture(uint32_t& at) {
  if (!captured_) return false;
  uint16_t stamp;
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    stamp = capture_stamp_;
    captured_ = false;
  }
  at = extended(stamp);
  return true;
}

// Closed contacts pull their pin down.
bool generator_contact() { return !(PINB & GENERATOR_CONTACT_PIN); }
bool grid_contact() { return !(PINB & GRID_CONTACT_PIN); }

const meter::AdcSums& show(meter::Side side) {
  AdcSums* const ended = counting_;
  AdcSums* const fresh = ended == &sums_[0] ? &sums_[1] : &sums_[0];
  memset(fresh, 0, sizeof *fresh);
  ATOMIC_BLOCK(ATOMIC_RESTORESTATE) {
    if (side == meter::GENERATOR) {
      PORTB |= SELECT_PIN;
    } else {
      PORTB &= static_cast<uint8_t>(~SELECT_PIN);
    }
    counting_ = fresh;
    settling_ = SETTLE_CONVERSIONS;
  }
  return *ended;
}

// Most interrupts only add up: the main loop is due each millisecond, and when something was received.
void sleep() {
  while (!awake_ && !Serial.available()) sleep_mode();
  awake_ = false;
}

uint8_t Eeprom::read(uint16_t address) { return eeprom_read_byte(reinterpret_cast<uint8_t*>(address)); }
bool Eeprom::ready() { return eeprom_is_ready(); }
void Eeprom::write(uint16_t address, uint8_t byte) {
  eeprom_update_byte(reinterpret_cast<uint8_t*>(address), byte);
}

}  // namespace board
