// simavr's headers, which are C, and how to find one of a chip's parts.
#pragma once

extern "C" {
#include <simavr/avr_adc.h>
#include <simavr/avr_eeprom.h>
#include <simavr/avr_extint.h>
#include <simavr/avr_ioport.h>
#include <simavr/avr_timer.h>
#include <simavr/avr_uart.h>
#include <simavr/avr_watchdog.h>
#include <simavr/sim_avr.h>
#include <simavr/sim_elf.h>
}

#include <cstring>

namespace emulator {

// The part of this kind for which `is` holds; null if there is none.
template <typename Part, typename Is>
Part* find_part(avr_t* avr, const char* kind, Is is) {
  for (avr_io_t* io = avr->io_port; io; io = io->next)
    if (!std::strcmp(io->kind, kind) && is(reinterpret_cast<Part*>(io))) return reinterpret_cast<Part*>(io);
  return nullptr;
}

}  // namespace emulator
