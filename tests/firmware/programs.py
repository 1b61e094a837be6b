"""Small programs for the emulated chip, to judge it by something other than the meter's firmware."""

import hashlib
import os
import subprocess
from pathlib import Path

from simulation.emulator import Emulator

# What every program here begins with: a serial line of 115200 baud, and numbers on it.
PRELUDE = r"""
#include <avr/eeprom.h>
#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/sleep.h>
#include <avr/wdt.h>
#include <stdint.h>
#include <stdlib.h>
#include <util/delay.h>

__attribute__((unused)) static void begin(uint16_t divisor) {
  UCSR0A = 1 << U2X0;
  UBRR0 = divisor;
  UCSR0B = 1 << RXEN0 | 1 << TXEN0;
}
__attribute__((unused)) static void put(char c) {
  while (!(UCSR0A & 1 << UDRE0)) {}
  UDR0 = c;
}
__attribute__((unused)) static uint8_t get(void) {
  while (!(UCSR0A & 1 << RXC0)) {}
  return UDR0;
}
__attribute__((unused)) static void number(uint32_t value, char after) {
  char text[11];
  ultoa(value, text, 10);
  for (char* c = text; *c; c++) put(*c);
  put(after);
}
"""

# The mean of each channel A0 … A5 in thousandths of a step, and of the bandgap; first the tie's, then the
# generator's currents.
ADC = r"""
EMPTY_INTERRUPT(ADC_vect)
static uint32_t mean(uint8_t channel) {
  uint32_t sum = 0;
  ADMUX = 1 << REFS0 | channel;
  for (uint16_t i = 0; i < 1000; i++) {
    ADCSRA |= 1 << ADSC;
    sleep_mode();
    sum += ADC;
  }
  return sum;
}
int main(void) {
  begin(16);
  DDRB = 1 << 5;
  ADCSRA = 1 << ADEN | 1 << ADIE | 7;
  sei();
  for (;;) {
    PORTB ^= 1 << 5;
    if (PORTB & 1 << 5) continue;
    for (uint8_t i = 0; i < 6; i++) number(mean(i), ' ');
    PORTB |= 1 << 5;
    for (uint8_t i = 3; i < 6; i++) number(mean(i), ' ');
    number(mean(14), '\n');
  }
}
"""

# For each side: looks at port D in 20 periods of phase 1, and how many of them found PD2 … PD7 high.
SQUARES = r"""
int main(void) {
  begin(16);
  DDRB = 1 << 5;
  for (;; PORTB ^= 1 << 5) {
    uint32_t looks = 0, high[6] = {0};
    uint8_t before = 0xFF;
    for (uint8_t rises = 0; rises <= 20;) {
      const uint8_t pins = PIND;
      rises += ~before & pins & 1 << 2 ? 1 : 0;
      before = pins;
      if (!rises) continue;
      looks++;
      for (uint8_t j = 0; j < 6; j++) high[j] += pins >> (2 + j) & 1;
    }
    number(looks, ' ');
    for (uint8_t j = 0; j < 6; j++) number(high[j], j < 5 ? ' ' : '\n');
  }
}
"""

# Ticks of 2 MHz between rising edges of phase 1's square.
PERIODS = r"""
int main(void) {
  begin(16);
  TCCR1B = 1 << ICES1 | 1 << CS11;
  for (uint16_t last = 0;;) {
    while (!(TIFR1 & 1 << ICF1)) {}
    TIFR1 = 1 << ICF1;
    number((uint16_t)(ICR1 - last), '\n');
    last = ICR1;
  }
}
"""

ECHO = "int main(void) { begin(16); for (;;) put(get()); }"

SLEEP = "int main(void) { sei(); for (;;) sleep_mode(); }"


def compiled(source: str, build: Path) -> Path:
    """The ELF file of a program that comes after the prelude, kept below `build`."""
    text = PRELUDE + source
    elf = build / "test-programs" / f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.elf"
    if not elf.exists():
        elf.parent.mkdir(exist_ok=True)
        part = elf.with_suffix(f".{os.getpid()}")
        subprocess.run(
            ["avr-gcc", "-mmcu=atmega328p", "-DF_CPU=16000000UL", "-Os", "-std=gnu11", "-Wall", "-Werror",
             "-x", "c", "-", "-o", part],
            input=text.encode(), check=True,
        )  # fmt: skip
        part.replace(elf)  # whole at once: other tests may be looking for it
    return elf


def numbers(board: Emulator) -> list[list[int]]:
    """The lines of whole numbers that a program has sent since the last call."""
    return [[int(word) for word in line.text.split()] for line in board.lines()]
