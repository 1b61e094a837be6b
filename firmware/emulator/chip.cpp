#include "chip.h"

#include <algorithm>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <fstream>
#include <stdexcept>

namespace emulator {
namespace {

constexpr uint32_t FREQUENCY_HZ = 16000000;
constexpr int RAM_START = 0x100;

// Pins (docs/meter.md).
constexpr int VOLTAGE_SQUARE_BIT = 2, XOR_BIT = 5;                     // of port D, and the two after
constexpr int CAPTURE_BIT = 0, CONTACT_BIT[SIDES] = {4, 1};            // of port B: grid, generator
constexpr int OUTPUT_BIT[OUTPUTS] = {2, 3, 5};                         // of port B

// simavr writes a byte at once; the chip takes so long, and shows it by this bit.
constexpr uint64_t EEPROM_WRITE_CYCLES = 3400 * CYCLES_PER_US;
constexpr uint64_t EEPROM_ARMED_CYCLES = 6;
constexpr uint8_t EEPE = 1 << 1, EEMPE = 1 << 2;

// The last thing simavr complained of; it has one logger for all.
std::string complaint;

void keep_complaint(avr_t*, const int level, const char* format, va_list arguments) {
  if (level != LOG_ERROR) return;
  char text[200];
  std::vsnprintf(text, sizeof text, format, arguments);
  complaint = text;
  for (char& c : complaint)
    if (c == '\n' || c == '\r' || c == '\x1b') c = ' ';
}

bool is_avr_elf(const std::string& path) {
  char head[20] = {};
  std::ifstream(path, std::ios::binary).read(head, sizeof head);
  return std::string(head, 4) == "\x7f" "ELF" && head[18] == 83 && head[19] == 0;  // e_machine: AVR
}

}  // namespace

Chip* Chip::the_chip = nullptr;

Chip::Chip(const std::string& elf_path, FrontEnd& front_end, uint64_t seed, ChipEvents events)
    : front_end_(front_end), events_(std::move(events)), random_(seed ^ 0x328) {
  avr_global_logger_set(keep_complaint);
  if (!std::ifstream(elf_path)) throw std::runtime_error("There is no file " + elf_path + " to read.");
  if (!is_avr_elf(elf_path)) throw std::runtime_error(elf_path + " is not an ELF file for an AVR.");
  avr_ = avr_make_mcu_by_name("atmega328p");
  avr_init(avr_);
  load(elf_path);
  connect();
  reset(ResetKind::POWER);
}

Chip::~Chip() {
  avr_terminate(avr_);
  the_chip = nullptr;
}

void Chip::load(const std::string& elf_path) {
  elf_firmware_t firmware = {};
  if (elf_read_firmware(elf_path.c_str(), &firmware) || firmware.flashsize == 0)
    throw std::runtime_error(elf_path + " has no program in it.");
  if (firmware.flashbase + firmware.flashsize > avr_->flashend + 1)
    throw std::runtime_error(elf_path + " is larger than the chip's flash.");
  avr_load_firmware(avr_, &firmware);
  avr_->frequency = FREQUENCY_HZ;
  for (uint32_t i = 0; i < firmware.symbolcount; i++)
    if (!std::strcmp(firmware.symbol[i]->symbol, "_end")) stack_end_ = firmware.symbol[i]->addr & 0xFFFF;
  if (stack_end_ < RAM_START || stack_end_ > avr_->ramend)
    throw std::runtime_error(elf_path + " does not say where its variables end.");
}

void Chip::connect() {
  the_chip = this;
  core_reset_ = avr_->reset;
  avr_->reset = on_reset;
  avr_->sleep = [](avr_t*, avr_cycle_count_t) {};  // simavr's would wait in real time
  const auto any = [](void*) { return true; };
  adc_ = find_part<avr_adc_t>(avr_, "adc", any);
  eeprom_ = find_part<avr_eeprom_t>(avr_, "eeprom", any);
  port_b_ = find_part<avr_ioport_t>(avr_, "port", [](avr_ioport_t* port) { return port->name == 'B'; });
  port_d_ = find_part<avr_ioport_t>(avr_, "port", [](avr_ioport_t* port) { return port->name == 'D'; });
  avr_irq_register_notify(adc_->io.irq + ADC_IRQ_OUT_TRIGGER, on_conversion, this);
  avr_irq_register_notify(port_b_->io.irq + IOPORT_IRQ_REG_PORT, on_port_b, this);
  for (int i = 0; i < OUTPUTS; i++) {
    output_[i] = {this, static_cast<Output>(i), false};
    avr_irq_register_notify(port_b_->io.irq + OUTPUT_BIT[i], on_output, &output_[i]);
  }
  for (EdgeWire& wire : edge_) wire = {this, false, false};
  avr_register_io_write(avr_, eeprom_->r_eecr, on_eeprom_control, this);
  uart_.attach(avr_, {[this](uint64_t cycle, uint8_t byte) { events_.sent(cycle / CYCLES_PER_US, byte); },
                      [this](const std::string& text) { events_.fault(text); }});
}

void Chip::reset(ResetKind kind) {
  if (kind == ResetKind::POWER || kind == ResetKind::BROWN_OUT) lose_power();
  if (kind == ResetKind::WATCHDOG) {
    avr_watchdog_t* watchdog = find_part<avr_watchdog_t>(avr_, "watchdog", [](void*) { return true; });
    watchdog->reset_context.wdrf = 1;  // simavr sets the flag, and the watchdog running at its fastest
    watchdog->reset_context.avr_run = avr_->run;
  }
  avr_reset(avr_);
  if (kind == ResetKind::POWER) avr_regbit_set(avr_, avr_->reset_flags.porf);
  if (kind == ResetKind::BROWN_OUT) avr_regbit_set(avr_, avr_->reset_flags.borf);
  if (kind == ResetKind::EXTERNAL) avr_regbit_set(avr_, avr_->reset_flags.extrf);
}

void Chip::lose_power() {
  if (avr_->cycle < eeprom_busy_until_) {
    eeprom_->eeprom[eeprom_address_] = static_cast<uint8_t>(random_.bits());
    eeprom_busy_until_ = 0;
  }
  for (int i = RAM_START; i <= avr_->ramend; i++) avr_->data[i] = static_cast<uint8_t>(random_.bits());
  painted_.assign(avr_->data, avr_->data + avr_->ramend + 1);
}

// Also called within simavr when the watchdog resets. All timers are gone and all registers zero.
void Chip::on_reset(avr_t* avr) {
  if (the_chip->core_reset_) the_chip->core_reset_(avr);
  the_chip->restart();
}

void Chip::restart() {
  on_started(avr_, 0, this);
  register_at(avr_->cycle, on_started, this);
  avr_->run_cycle_limit = STEP_CYCLES;  // simavr would look at its timers after each instruction
  for (OutputWire& wire : output_)
    if (wire.high) avr_raise_irq(port_b_->io.irq + OUTPUT_BIT[wire.output], 0);
  for (EdgeWire& wire : edge_) wire.level = wire.next;
  // What simavr believes the pins to be still holds; only the registers were cleared.
  avr_->data[port_b_->r_pin] = port_b_->external.pull_value;
  avr_->data[port_d_->r_pin] = port_d_->external.pull_value;
  drive_squares();
  drive_contacts();
  register_at(next_step_, on_step, this);
  if (halt_at_ > avr_->cycle) register_at(halt_at_, on_halt, this);
  if (eeprom_busy_until_ > avr_->cycle) {
    avr_->data[eeprom_->r_eecr] |= EEPE;
    register_at(eeprom_busy_until_, on_eeprom_written, this);
  }
  uart_.restart();
}

// Or simavr looks in each cycle whether the pins of INT0 and INT1, which are squares, are low. Each reset turns it
// on again, after `restart`.
avr_cycle_count_t Chip::on_started(avr_t* avr, avr_cycle_count_t, void*) {
  avr_extint_set_strict_lvl_trig(avr, 0, 0);
  avr_extint_set_strict_lvl_trig(avr, 1, 0);
  return 0;
}

void Chip::register_at(uint64_t cycle, avr_cycle_timer_t timer, void* param) {
  avr_cycle_timer_register(avr_, cycle > avr_->cycle ? cycle - avr_->cycle : 1, timer, param);
}

bool Chip::run_until(uint64_t us) {
  halt_at_ = us * CYCLES_PER_US;
  register_at(halt_at_, on_halt, this);  // or a sleeping chip would sleep beyond
  while (avr_->cycle < halt_at_) {
    const int state = avr_run(avr_);
    if (state == cpu_Running || state == cpu_Sleeping) continue;
    char where[60];
    std::snprintf(where, sizeof where, "the chip stopped at 0x%04x", static_cast<unsigned>(avr_->pc));
    events_.fault(where + (state == cpu_Done ? ", asleep with interrupts off" : " (" + complaint + ")"));
    return false;
  }
  return true;
}

avr_cycle_count_t Chip::on_halt(avr_t*, avr_cycle_count_t, void*) { return 0; }

avr_cycle_count_t Chip::on_step(avr_t* avr, avr_cycle_count_t when, void* param) {
  Chip& chip = *static_cast<Chip*>(param);
  chip.front_end_.step();
  for (int i = 0; i < chip.front_end_.edge_count(); i++) {
    const Edge& edge = chip.front_end_.edges()[i];
    EdgeWire& wire = chip.edge_[edge.channel];
    wire.next = edge.level;
    chip.register_at(when + static_cast<uint64_t>(std::max(0.0, edge.after_s * FREQUENCY_HZ)), on_edge, &wire);
  }
  (void)avr;
  return chip.next_step_ = when + STEP_CYCLES;
}

avr_cycle_count_t Chip::on_edge(avr_t*, avr_cycle_count_t, void* param) {
  EdgeWire& wire = *static_cast<EdgeWire*>(param);
  wire.level = wire.next;
  wire.chip->drive_squares();
  return 0;
}

void Chip::drive_squares() {
  const int current = output_[MUX].high ? 2 * PHASES : PHASES;
  for (int phase = 0; phase < PHASES; phase++) {
    drive(port_d_, VOLTAGE_SQUARE_BIT + phase, edge_[phase].level);
    drive(port_d_, XOR_BIT + phase, edge_[phase].level != edge_[current + phase].level);
  }
  drive(port_b_, CAPTURE_BIT, edge_[0].level);
}

void Chip::contact(Side side, bool closed) {
  contact_closed_[side] = closed;
  drive_contacts();
}

void Chip::drive_contacts() {
  for (int side = 0; side < SIDES; side++) {
    const bool pulled_up = avr_->data[port_b_->r_port] & 1 << CONTACT_BIT[side];
    drive(port_b_, CONTACT_BIT[side], pulled_up && !contact_closed_[side]);
  }
}

// simavr sets an input to what its pull-up says whenever the port is written, unless told what pulls from outside.
void Chip::drive(avr_ioport_t* port, int bit, bool level) {
  const uint8_t mask = static_cast<uint8_t>(1 << bit);
  port->external.pull_mask |= mask;
  port->external.pull_value = static_cast<uint8_t>(level ? port->external.pull_value | mask
                                                         : port->external.pull_value & ~mask);
  avr_raise_irq(port->io.irq + bit, level);  // does nothing unless it has changed
}

void Chip::on_port_b(avr_irq_t*, uint32_t, void* chip) { static_cast<Chip*>(chip)->drive_contacts(); }

void Chip::on_output(avr_irq_t*, uint32_t value, void* param) {
  OutputWire& wire = *static_cast<OutputWire*>(param);
  const bool high = value & 1;
  if (wire.high == high) return;
  wire.high = high;
  wire.chip->events_.pin(wire.chip->avr_->cycle / CYCLES_PER_US, wire.output, high);
  if (wire.output == MUX) wire.chip->drive_squares();
}

void Chip::on_conversion(avr_irq_t*, uint32_t value, void* chip) {
  union {
    uint32_t value;
    avr_adc_mux_t mux;
  } trigger = {value};
  static_cast<Chip*>(chip)->convert(trigger.mux);
}

// simavr's bandgap is 1100 mV in every chip. In this one it is not: everything else is told in its measure.
void Chip::convert(avr_adc_mux_t mux) {
  const double mv = 1000 * NOMINAL_BANDGAP_V / front_end_.bandgap_v();
  double supply_mv = front_end_.supply_v() * mv;
  const double noise_v = front_end_.noise_v();
  if (mux.kind == ADC_MUX_REF) supply_mv /= 1 + noise_v / NOMINAL_BANDGAP_V;  // simavr cannot disturb the bandgap
  avr_->avcc = static_cast<uint32_t>(std::max(1L, std::lround(supply_mv)));
  if (mux.kind != ADC_MUX_SINGLE || mux.src >= 2 * PHASES) return;
  const Side side = output_[MUX].high ? GENERATOR : TIE;
  const double input_mv = (front_end_.pin_v(static_cast<int>(mux.src), side) + noise_v) * mv;
  avr_raise_irq(adc_->io.irq + mux.src, static_cast<uint32_t>(std::clamp(std::lround(input_mv), 0L, 9999L)));
}

void Chip::on_eeprom_control(avr_t* avr, avr_io_addr_t address, uint8_t value, void* param) {
  Chip& chip = *static_cast<Chip*>(param);
  const bool armed = avr->cycle <= chip.eeprom_armed_until_, busy = avr->cycle < chip.eeprom_busy_until_;
  if (armed && value & EEPE) {
    if (busy) chip.events_.fault("the EEPROM was written to before it was ready");
    chip.eeprom_address_ = (avr->data[chip.eeprom_->r_eearl] | avr->data[chip.eeprom_->r_eearh] << 8) & 0x3FF;
    chip.eeprom_busy_until_ = avr->cycle + EEPROM_WRITE_CYCLES;
    chip.eeprom_armed_until_ = 0;
    chip.register_at(chip.eeprom_busy_until_, on_eeprom_written, param);
  } else if (value & EEMPE) {
    chip.eeprom_armed_until_ = avr->cycle + EEPROM_ARMED_CYCLES;
  }
  if (avr->cycle < chip.eeprom_busy_until_) avr->data[address] |= EEPE;
}

avr_cycle_count_t Chip::on_eeprom_written(avr_t* avr, avr_cycle_count_t, void* chip) {
  avr->data[static_cast<Chip*>(chip)->eeprom_->r_eecr] &= static_cast<uint8_t>(~EEPE);
  return 0;
}

std::vector<uint8_t> Chip::eeprom() const { return {eeprom_->eeprom, eeprom_->eeprom + eeprom_->size}; }

void Chip::poke_eeprom(size_t address, const std::vector<uint8_t>& bytes) {
  for (size_t i = 0; i < bytes.size() && address + i < eeprom_->size; i++) eeprom_->eeprom[address + i] = bytes[i];
}

int Chip::stack_headroom() const {
  size_t deepest = stack_end_;
  while (deepest < painted_.size() && avr_->data[deepest] == painted_[deepest]) deepest++;
  return static_cast<int>(deepest - stack_end_);
}

}  // namespace emulator
