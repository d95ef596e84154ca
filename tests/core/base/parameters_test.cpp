#include "core/base/parameters.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/base/error.h"

namespace qaq {

enum class Colour { red, green };
template <>
struct ChoiceNames<Colour> {
  static constexpr std::array<std::string_view, 2> names{"red", "green"};
};

namespace {

struct Side {
  int n_bits = 4;
  double ratio = 0.01;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "n_bits", .help = "Bits", .unit = "bits", .min = 0, .max = 16},
      self.n_bits);
    v(ParameterInfo{.name = "ratio", .help = "Share", .min = 0, .max = 0.5}, self.ratio);
  }
};

struct Params {
  Side key, value;
  bool exact = false;
  Colour colour = Colour::red;
  std::int64_t seed = 7;

  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v.section("key", [&](auto& inner) { Side::visit(self.key, inner); });
    v.section("value", [&](auto& inner) { Side::visit(self.value, inner); });
    v(ParameterInfo{.name = "exact", .help = "Exact"}, self.exact);
    v(ParameterInfo{.name = "colour", .help = "Colour"}, self.colour);
    v(ParameterInfo{.name = "seed", .help = "Seed", .min = 0}, self.seed);
  }
};

Params with(std::initializer_list<const char*> assignments) {
  Params params;
  for (const char* assignment : assignments) apply_assignment(params, assignment);
  return params;
}

std::string usage_error(const char* assignment) {
  try {
    with({assignment});
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    return error.what();
  }
  return "taken";
}

TEST(Parameters, AreListedInTheVisitorsOrderWithSectionsFlattened) {
  std::vector<std::string> names;
  for (const Parameter& parameter : list_parameters(Params{})) names.push_back(parameter.name);
  EXPECT_EQ(names, (std::vector<std::string>{"key.n_bits", "key.ratio", "value.n_bits",
                                             "value.ratio", "exact", "colour", "seed"}));
}

TEST(Parameters, KnowTheirKindAndValue) {
  const auto all = list_parameters(Params{});
  EXPECT_EQ(all[0].kind, ParameterKind::integer);
  EXPECT_EQ(all[0].section, "key");
  EXPECT_EQ(all[0].info.unit, "bits");
  EXPECT_EQ(all[0].value, ParameterValue(std::int64_t{4}));
  EXPECT_EQ(all[1].kind, ParameterKind::real);
  EXPECT_EQ(all[4].kind, ParameterKind::boolean);
  EXPECT_EQ(all[5].kind, ParameterKind::choice);
  EXPECT_EQ(all[5].choices, (std::vector<std::string>{"red", "green"}));
  EXPECT_EQ(all[5].value, ParameterValue(std::string("red")));
}

TEST(Parameters, AFullNameSetsOneAndABareNameEverySection) {
  const Params one = with({"key.n_bits=8"});
  EXPECT_EQ(one.key.n_bits, 8);
  EXPECT_EQ(one.value.n_bits, 4);
  const Params both = with({"ratio=0.25", "value.n_bits=2"});
  EXPECT_EQ(both.key.ratio, 0.25);
  EXPECT_EQ(both.value.ratio, 0.25);
  EXPECT_EQ(both.value.n_bits, 2);
  EXPECT_EQ(both.key.n_bits, 4);
}

TEST(Parameters, TextIsReadByKind) {
  const Params params = with({"exact=on", "colour=green", "seed=123456789012"});
  EXPECT_TRUE(params.exact);
  EXPECT_EQ(params.colour, Colour::green);
  EXPECT_EQ(params.seed, 123456789012);
  EXPECT_FALSE(with({"exact=true", "exact=0"}).exact);
  EXPECT_EQ(with({"n_bits=3.0"}).key.n_bits, 3);
}

TEST(Parameters, WrongValuesAreRefusedWithTheRangeOrTheChoices) {
  EXPECT_EQ(usage_error("key.n_bits=17"),
            "key.n_bits: 17 is out of range; give a number from 0 to 16");
  EXPECT_EQ(usage_error("key.n_bits=2.5"),
            "key.n_bits: 2.5 is no whole number; give a number from 0 to 16");
  EXPECT_EQ(usage_error("seed=-1"), "seed: -1 is out of range; give a number of at least 0");
  EXPECT_EQ(usage_error("key.ratio=much"),
            "key.ratio: 'much' is no number; give a number from 0 to 0.5");
  EXPECT_EQ(usage_error("colour=blue"), "colour: 'blue' is no choice; choose one of red, green");
  EXPECT_EQ(usage_error("exact=perhaps"), "exact: 'perhaps' is no truth value; give true or false");
  for (const char* wrong :
       {"key.ratio=nan", "key.ratio=inf", "key.ratio=", "key.ratio=0.1x", "seed=1e300"}) {
    EXPECT_NE(usage_error(wrong), "taken") << wrong;
  }
}

TEST(Parameters, AnUnknownNameGetsTheNearest) {
  EXPECT_EQ(usage_error("key.nbits=4"), "key.nbits: no such parameter; did you mean key.n_bits?");
  EXPECT_NE(usage_error("=4"), "taken");
  EXPECT_NE(usage_error("exact"), "taken");
}

TEST(Parameters, JsonKeepsOrderAndTypes) {
  const auto json = parameters_json(list_parameters(with({"exact=true"})));
  EXPECT_EQ(json.dump(), R"({"key.n_bits":4,"key.ratio":0.01,"value.n_bits":4,"value.ratio":0.01,)"
                         R"("exact":true,"colour":"red","seed":7})");
}

TEST(Parameters, TheCommandLineGivesThemBack) {
  const Params params = with({"key.n_bits=8", "colour=green", "ratio=0.125"});
  const std::string text = command_line_text(list_parameters(params), list_parameters(Params{}));
  EXPECT_EQ(text, "--set key.n_bits=8 --set ratio=0.125 --set colour=green");
  EXPECT_EQ(command_line_text(list_parameters(Params{}), list_parameters(Params{})), "");
}

TEST(Parameters, EqualityAndHashSeeEveryField) {
  EXPECT_TRUE(same_parameters(Params{}, Params{}));
  const auto hash = [](const Params& params) { return parameters_hash(list_parameters(params)); };
  EXPECT_EQ(hash(Params{}), hash(Params{}));
  for (const char* change : {"key.n_bits=5", "value.n_bits=5", "key.ratio=0.02", "exact=true",
                             "colour=green", "seed=8"}) {
    EXPECT_FALSE(same_parameters(Params{}, with({change}))) << change;
    EXPECT_NE(hash(Params{}), hash(with({change}))) << change;
  }
}

struct Guess {
  RealOrAuto limit = 2.5;
  template <class Self, class Visitor>
  static void visit(Self& self, Visitor& v) {
    v(ParameterInfo{.name = "limit", .help = "A limit", .min = 1, .max = 9}, self.limit);
  }
};

TEST(Parameters, ANumberMayBeLeftToTheProgram) {
  Guess guess;
  EXPECT_EQ(list_parameters(guess)[0].kind, ParameterKind::real_or_auto);
  EXPECT_EQ(list_parameters(guess)[0].value, ParameterValue(2.5));
  apply_assignment(guess, "limit=auto");
  EXPECT_FALSE(guess.limit.number);
  EXPECT_EQ(parameters_json(list_parameters(guess)).dump(), R"({"limit":"auto"})");
  EXPECT_EQ(command_line_text(list_parameters(guess), list_parameters(Guess{})),
            "--set limit=auto");
  EXPECT_FALSE(same_parameters(guess, Guess{}));
  apply_assignment(guess, "limit=4");
  EXPECT_EQ(guess.limit, RealOrAuto(4));
  for (const char* wrong : {"limit=automatic", "limit=0.5", "limit="}) {
    try {
      apply_assignment(guess, wrong);
      ADD_FAILURE() << wrong;
    } catch (const Error& error) {
      EXPECT_EQ(error.text().cure, "give a number from 1 to 9, or auto");
    }
  }
}

}  // namespace
}  // namespace qaq
