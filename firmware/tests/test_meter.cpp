#include "../core/meter.h"

#include "meter_rig.h"

using meter::Counters;

namespace {

doctest::Approx about(double value) { return doctest::Approx(value).epsilon(3e-3); }

// Field numbers of docs/protocol.md.
const size_t BOOT_ID = 3, UPTIME = 4, SEQUENCE = 5, VOLTAGE = 6, CURRENT = 9, FACTOR = 12, HERTZ = 15;
const size_t GENERATOR_W = 16, GENERATOR_VAR = 17, EXCHANGE_W = 19, EXCHANGE_VAR = 20;
const size_t IMPORT = 21, EXPORT = 22, GENERATION = 23, GENERATOR_BREAKER = 24, GRID_BREAKER = 25;
const size_t COMMAND_ID = 27, COMMAND_STATE = 28;

}  // namespace

TEST_CASE("a second of the mains makes a packet, and watt-seconds") {
  RigEeprom eeprom;
  Rig rig(eeprom);
  rig.load[meter::TIE] = {5, 150};  // imports: the current, counted into the micro-grid, is opposite
  rig.load[meter::GENERATOR] = {8, 30};
  rig.generator_contact = true;
  rig.pass(10050);
  const Line line = rig.only_line_in(1000);
  CHECK(line.number(VOLTAGE) == about(230));
  CHECK(line.number(VOLTAGE + 2) == about(230));
  CHECK(line.number(CURRENT + 1) == about(5));
  CHECK(line.field(FACTOR).substr(0, 4) == "0.86");
  CHECK(line.field(FACTOR).substr(5) == "CI");  // Q positive, P negative
  CHECK(line.number(HERTZ) == doctest::Approx(50).epsilon(1e-4));
  CHECK(line.number(EXCHANGE_W) == about(-3 * 230 * 5 * 0.8660));
  CHECK(line.number(EXCHANGE_VAR) == about(3 * 230 * 5 * 0.5));
  CHECK(line.number(GENERATOR_W) == about(3 * 230 * 8 * 0.8660));
  CHECK(line.number(GENERATOR_VAR) == about(3 * 230 * 8 * 0.5));
  // The tie's first slot ends after 100 ms, the last before this packet at 10.9 s; the generator's at 11 s.
  CHECK(line.number(IMPORT) == about(10.9 * 3 * 230 * 5 * 0.8660));
  CHECK(line.number(EXPORT) == 0);
  CHECK(line.number(GENERATION) == about(11 * 3 * 230 * 8 * 0.8660));
  CHECK(line.field(GENERATOR_BREAKER) == "1");
  CHECK(line.field(GRID_BREAKER) == "1");
  CHECK(line.flags() == meter::CALIBRATION_BAD);  // it has none yet
  CHECK(line.field(BOOT_ID) == "1");
  CHECK(line.field(SEQUENCE) == "10");
}

TEST_CASE("without mains a meter says zeros, and nothing counts") {
  RigEeprom eeprom;
  Rig rig(eeprom);
  rig.voltage_v = 0;
  rig.grid_contact = false;
  const Line line = rig.sent_in(3100).back();
  CHECK(line.text.substr(line.text.find(",0.00,")) ==
        ",0.00,0.00,0.00,0.000,0.000,0.000,0.000LI,0.000LI,0.000LI,0.000,0,0,0,0,0,0,0,0,0,0,0008,0,0,1.0.0");
}

TEST_CASE("packets come by the second, whatever else is sent") {
  RigEeprom eeprom;
  Rig rig(eeprom);
  rig.load[meter::TIE] = {5, 0};
  uint64_t at_ms = 0;
  uint32_t id = 0;
  for (int i = 0; i < 300; ++i) {
    rig.command("RAISE," + std::to_string(++id) + ",5");
    rig.command("CAL,V1G");
    rig.pass(47);
  }
  int regular = 0;
  double uptime = -1, sequence = -1;
  for (const Line& line : rig.lines) {
    if (!line.packet()) continue;
    CHECK(line.number(SEQUENCE) == sequence + 1);
    CHECK(line.number(UPTIME) > uptime);
    sequence = line.number(SEQUENCE);
    uptime = line.number(UPTIME);
    if (line.at_ms < at_ms + 900 || line.at_ms % 1000 > 100) continue;
    ++regular;
    CHECK(line.at_ms % 1000 <= 2);
    at_ms = line.at_ms;
  }
  CHECK(regular == 14);
  CHECK(rig.raised_ms == 300 * 5);
}

TEST_CASE("a tick that comes late loses no second and no energy") {
  RigEeprom eeprom;
  Rig rig(eeprom);
  rig.load[meter::TIE] = {10, 0};
  rig.pass(1950);
  rig.pass(80, 79);
  CHECK(rig.only_line_in(30).at_ms == 2030);
  rig.pass(900, 250);  // more than a slot of each side
  CHECK(rig.only_line_in(100).at_ms == 3000);
  rig.pass(7000);
  CHECK(rig.lines.back().at_ms == 10000);
  CHECK(rig.lines.back().number(EXPORT) == about(9.9 * 3 * 230 * 10));
}

TEST_CASE("the millisecond count may wrap") {
  RigEeprom eeprom;
  Rig rig(eeprom, 0xFFFFFFFFu - 2500);
  rig.load[meter::TIE] = {10, 0};
  rig.pass(10050);
  REQUIRE(rig.lines.size() == 10);
  CHECK(rig.lines.back().number(UPTIME) == 10000);
  CHECK(rig.lines.back().number(EXPORT) == about(9.9 * 3 * 230 * 10));
}

TEST_CASE("a clock's error is taken out of packets, frequency, energy and pulses") {
  RigEeprom eeprom;
  Rig fast(eeprom);
  fast.calibrate("CLK,10000");
  fast.load[meter::TIE] = {10, 0};
  fast.pass(20 * 1010 + 30);
  CHECK(fast.lines.back().at_ms == 20 * 1010);
  CHECK(fast.lines.back().number(HERTZ) == doctest::Approx(50.5).epsilon(1e-4));
  CHECK(fast.lines.back().number(EXPORT) == about(19.9 * 3 * 230 * 10));
  fast.command("RAISE,1,1000");
  fast.pass(1100);
  CHECK(fast.raised_ms == 1010);

  RigEeprom other;
  Rig slow(other);
  slow.calibrate("CLK,-20000");
  slow.pass(20 * 980 + 30);
  CHECK(slow.lines.back().at_ms == 20 * 980);
  CHECK(slow.lines.back().number(UPTIME) == 20000);
}

TEST_CASE("contacts are believed once they stand still") {
  RigEeprom eeprom;
  Rig rig(eeprom);
  for (int i = 0; i < 100; ++i) {
    rig.generator_contact = !rig.generator_contact;
    rig.pass(10);
  }
  CHECK(rig.sent_in(10).back().field(GENERATOR_BREAKER) == "0");
}

TEST_SUITE("commands") {
  TEST_CASE("a pulse is answered when it begins and when it ends") {
    RigEeprom eeprom;
    Rig rig(eeprom);
    rig.pass(1100);
    rig.command("RAISE,12,400");
    const Line begun = rig.only_line_in(100);
    CHECK(begun.at_ms <= 1102);
    CHECK(begun.field(COMMAND_ID) == "12");
    CHECK(begun.field(COMMAND_STATE) == "1");
    const Line ended = rig.only_line_in(400);
    CHECK(ended.field(COMMAND_ID) == "12");
    CHECK(ended.field(COMMAND_STATE) == "2");
    CHECK(rig.raised_ms == 400);
    CHECK(rig.lowered_ms == 0);
    CHECK((ended.flags() & meter::COMMAND_REFUSED) == 0);
  }

  TEST_CASE("a command that comes again is answered and not obeyed") {
    RigEeprom eeprom;
    Rig rig(eeprom);
    rig.pass(1100);
    rig.command("LOWER,7,50");
    rig.pass(200);
    rig.command("LOWER,7,50");
    CHECK(rig.only_line_in(100).field(COMMAND_STATE) == "2");
    CHECK(rig.lowered_ms == 50);
  }

  TEST_CASE("LOWER during RAISE is refused at once, and the pulse goes on") {
    RigEeprom eeprom;
    Rig rig(eeprom);
    rig.pass(1100);
    rig.command("RAISE,1,300");
    rig.pass(100);
    rig.command("LOWER,2,300");
    const Line refused = rig.only_line_in(50);
    CHECK(refused.field(COMMAND_ID) == "2");
    CHECK(refused.field(COMMAND_STATE) == "3");
    CHECK((refused.flags() & meter::COMMAND_REFUSED) != 0);
    const Line next = rig.only_line_in(800);
    CHECK((next.flags() & meter::COMMAND_REFUSED) == 0);
    CHECK(rig.raised_ms == 300);
    CHECK(rig.lowered_ms == 0);
  }

  TEST_CASE("a line that is none is told in the next regular packet, once") {
    RigEeprom eeprom;
    Rig rig(eeprom);
    rig.pass(1100);
    rig.receive("RAISE,1,400*0000\r\n");
    CHECK(rig.sent_in(500).empty());
    rig.command("RAISE,1,1");  // what is answered at once is not a regular packet
    for (const Line& line : rig.sent_in(300)) CHECK((line.flags() & meter::COMMAND_REFUSED) == 0);
    CHECK((rig.only_line_in(200).flags() & meter::COMMAND_REFUSED) != 0);
    CHECK((rig.only_line_in(1000).flags() & meter::COMMAND_REFUSED) == 0);
  }

  TEST_CASE("a command of the first second is obeyed at once and told in the first packet") {
    RigEeprom eeprom;
    Rig rig(eeprom);
    rig.command("RAISE,5,100");
    CHECK(rig.sent_in(990).empty());
    CHECK(rig.raised_ms == 100);
    const Line first = rig.only_line_in(50);
    CHECK(first.field(COMMAND_ID) == "5");
    CHECK(first.field(COMMAND_STATE) == "2");
    CHECK(first.field(SEQUENCE) == "0");
  }
}

TEST_SUITE("calibration lines") {
  TEST_CASE("what is set holds at once; what is saved holds after a restart") {
    RigEeprom eeprom;
    {
      Rig rig(eeprom);
      rig.pass(1100);
      rig.calibrate("V1G,1100000");
      rig.calibrate("SNR,3");
      CHECK(rig.sent_in(1000).back().number(VOLTAGE) == about(250.7));  // nine slots of ten are the new one's
    }
    {
      Rig unsaved(eeprom);
      CHECK(unsaved.sent_in(1100).back().number(VOLTAGE) == about(230));
      unsaved.calibrate("V1G,1100000");
      unsaved.calibrate("SNR,3");
      unsaved.command("CAL,SAVE");
      std::vector<Line> lines = unsaved.sent_in(2000);
      REQUIRE(lines.size() == 3);
      CHECK(lines[0].flags() == meter::CALIBRATION_BAD);
      CHECK(lines[1].text == "CAL,SAVED");
      CHECK((lines[2].flags() & meter::CALIBRATION_BAD) == 0);
    }
    Rig again(eeprom);
    const Line line = again.sent_in(1100).back();
    CHECK(line.number(VOLTAGE) == about(253));
    CHECK(line.number(VOLTAGE + 1) == about(230));
    CHECK(line.flags() == 0);
    CHECK(line.number(BOOT_ID) == (3 << 16) + 3);
    again.command("CAL,V1G");
    CHECK(again.only_line_in(10).text == "CAL,V1G,1100000");
  }

  TEST_CASE("a value beyond limits is refused, and nothing is changed while it is saved") {
    RigEeprom eeprom;
    Rig rig(eeprom);
    rig.command("CAL,V1G,1");
    CHECK(rig.only_line_in(10).text == "CAL,V1G,REFUSED");
    rig.command("CAL,SAVE");
    rig.command("CAL,V1G,1000001");
    CHECK(rig.only_line_in(10).text == "CAL,V1G,REFUSED");
    rig.command("CAL,V1G");
    CHECK(rig.only_line_in(10).text == "CAL,V1G,1000000");
  }

  TEST_CASE("many questions at once are answered in turn, and what is too much is told") {
    RigEeprom eeprom;
    Rig rig(eeprom);
    rig.pass(1100);
    const char* const names[] = {"V1G", "V2G", "V3G", "BGU", "CLK", "DIO", "SNR", "G3A", "I1O"};
    for (const char* name : names) rig.command(std::string("CAL,") + name);
    const std::vector<Line> lines = rig.sent_in(500);
    REQUIRE(lines.size() == meter::REPLIES);
    for (size_t i = 0; i < lines.size(); ++i) CHECK(lines[i].field(2) == names[i]);
    CHECK((rig.only_line_in(450).flags() & meter::COMMAND_REFUSED) != 0);
  }
}

TEST_SUITE("restarts") {
  // Runs until so many counters are in the EEPROM.
  Counters saved(RigEeprom & eeprom) {
    Rig rig(eeprom);
    rig.load[meter::TIE] = {10, 0};
    rig.pass(301500);
    return rig.meter.counters();
  }

  TEST_CASE("counters are saved every five minutes if they changed") {
    RigEeprom eeprom;
    const Counters counters = saved(eeprom);
    Rig again(eeprom);
    CHECK(again.meter.counters().export_ws <= counters.export_ws);
    CHECK(again.meter.counters().export_ws == about(299.9 * 3 * 230 * 10));
    again.pass(1000);  // the start itself is written
    const int writes = eeprom.writes;
    again.pass(700000);
    CHECK(eeprom.writes == writes);
    CHECK(again.lines.back().field(BOOT_ID) == "2");
  }

  TEST_CASE("counters that outlived the reset are taken if they can be true") {
    RigEeprom eeprom;
    const Counters stored = saved(eeprom);
    const Counters ahead = {stored.import_ws, stored.export_ws + 5000, 7};
    const Counters behind = {stored.import_ws, stored.export_ws - 100000, 0};
    CHECK(Rig(eeprom, 0, false, &ahead).meter.counters().export_ws == ahead.export_ws);
    CHECK(Rig(eeprom, 0, false, &ahead).meter.counters().generation_ws == 7);
    CHECK(Rig(eeprom, 0, false, &behind).meter.counters().export_ws > behind.export_ws);
    const Counters mixed = {stored.import_ws - 1, stored.export_ws + 5000, 7};
    CHECK(Rig(eeprom, 0, false, &mixed).meter.counters().generation_ws == 0);
    for (uint32_t far : {meter::MOST_UNSAVED_WS, 0x7FFFFFFFu, 0x80000000u}) {
      const Counters chance = {stored.import_ws, stored.export_ws, far};
      CHECK(Rig(eeprom, 0, false, &chance).meter.counters().generation_ws == 0);
    }
    const Counters high = {0, 0xF0000000u, 0};
    RigEeprom fresh;
    CHECK(Rig(fresh, 0, false, &high).meter.counters().export_ws == high.export_ws);
  }

  TEST_CASE("counters are saved at once when the supply sinks, and once, however it swings") {
    RigEeprom eeprom;
    Rig rig(eeprom);
    rig.load[meter::TIE] = {10, 0};
    rig.pass(5000);
    rig.supply_v = 4.2;
    rig.pass(101 + 19 * 4);
    Rig again(eeprom);
    CHECK(again.meter.counters().export_ws == about(5.1 * 3 * 230 * 10));
    CHECK((rig.sent_in(1500).back().flags() & meter::SUPPLY_LOW) != 0);
    const int writes = eeprom.writes;
    rig.pass(3000);
    CHECK(eeprom.writes == writes);
    for (int swing = 0; swing < 3; ++swing) {
      rig.supply_v = 5.0;
      rig.pass(3000);
      rig.supply_v = 4.2;
      rig.pass(1000);
    }
    CHECK(eeprom.writes == writes);
    rig.supply_v = 5.0;
    rig.pass(1000 * meter::SWING_S);
    rig.supply_v = 4.2;
    rig.pass(3000);
    CHECK(eeprom.writes > writes);
  }

  TEST_CASE("a restart after a brown-out is told for a minute") {
    RigEeprom eeprom;
    Rig rig(eeprom, 0, true);
    rig.pass(1100);
    rig.command("RAISE,1,1");  // packets beside the regular ones do not count
    rig.pass(62000);
    int told = 0;
    for (const Line& line : rig.lines) {
      if ((line.flags() & meter::BROWN_OUT_RESTART) && line.at_ms % 1000 == 0) ++told;
    }
    CHECK(told == meter::BROWN_OUT_PACKETS);
    CHECK((rig.lines.back().flags() & meter::BROWN_OUT_RESTART) == 0);
  }
}
