#include "core/base/parameters.h"

#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

[[noreturn]] void refuse_value(const Parameter& parameter, const std::string& what,
                               const std::string& cure) {
  refuse_usage({.place = parameter.name, .what = what, .cure = cure});
}

std::string range_text(const Parameter& parameter) {
  const auto bound = [](double x) { return number_text(x); };
  const char* others = parameter.kind == ParameterKind::real_or_auto ? ", or auto" : "";
  if (std::isinf(parameter.info.max))
    return cat("give a number of at least ", bound(parameter.info.min), others);
  return cat("give a number from ", bound(parameter.info.min), " to ", bound(parameter.info.max),
             others);
}

double number_of(const Parameter& parameter, const ParameterValue& value) {
  if (const auto* d = std::get_if<double>(&value)) return *d;
  if (const auto* i = std::get_if<std::int64_t>(&value)) return static_cast<double>(*i);
  if (const auto* s = std::get_if<std::string>(&value)) {
    double number = 0;
    const char* end = s->data() + s->size();
    const auto result = std::from_chars(s->data(), end, number);
    if (result.ec == std::errc() && result.ptr == end && std::isfinite(number)) return number;
  }
  refuse_value(parameter, cat("'", value_text(value), "' is no number"), range_text(parameter));
}

bool truth_of(const Parameter& parameter, const ParameterValue& value) {
  if (const auto* b = std::get_if<bool>(&value)) return *b;
  const std::string text = value_text(value);
  if (text == "true" || text == "on" || text == "yes" || text == "1") return true;
  if (text == "false" || text == "off" || text == "no" || text == "0") return false;
  refuse_value(parameter, cat("'", text, "' is no truth value"), "give true or false");
}

}  // namespace

ParameterValue checked_value(const Parameter& parameter, const ParameterValue& value) {
  switch (parameter.kind) {
    case ParameterKind::boolean:
      return truth_of(parameter, value);
    case ParameterKind::choice: {
      const std::string text = value_text(value);
      std::string all;
      for (const std::string& choice : parameter.choices) {
        if (choice == text) return text;
        all += (all.empty() ? "" : ", ") + choice;
      }
      refuse_value(parameter, cat("'", text, "' is no choice"), "choose one of " + all);
    }
    case ParameterKind::real_or_auto:
      if (value_text(value) == kAuto) return std::string(kAuto);
      break;
    case ParameterKind::integer:
    case ParameterKind::real:
      break;
  }
  const double number = number_of(parameter, value);
  if (number < parameter.info.min || number > parameter.info.max) {
    refuse_value(parameter, cat(number_text(number), " is out of range"), range_text(parameter));
  }
  if (parameter.kind != ParameterKind::integer) return number;
  if (number != std::floor(number) || std::abs(number) > 1e15) {
    refuse_value(parameter, cat(number_text(number), " is no whole number"), range_text(parameter));
  }
  return static_cast<std::int64_t>(number);
}

std::string value_text(const ParameterValue& value) {
  if (const auto* b = std::get_if<bool>(&value)) return *b ? "true" : "false";
  if (const auto* i = std::get_if<std::int64_t>(&value)) return std::to_string(*i);
  if (const auto* d = std::get_if<double>(&value)) return number_text(*d);
  return std::get<std::string>(value);
}

std::vector<Parameter> parameters_named(const std::vector<Parameter>& all, std::string_view name) {
  std::vector<Parameter> found;
  for (const Parameter& parameter : all) {
    if (parameter.name == name || parameter.info.name == name) found.push_back(parameter);
  }
  if (!found.empty()) return found;
  std::vector<std::string> names;
  for (const Parameter& parameter : all) {
    names.push_back(parameter.name);
    names.emplace_back(parameter.info.name);
  }
  const auto nearest = nearest_name(name, names);
  refuse_usage({.place = std::string(name),
                .what = "no such parameter",
                .cure = nearest ? cat("did you mean ", *nearest, "?")
                                : "see qaq replay --help for the parameters"});
}

std::pair<std::string, std::string> split_assignment(std::string_view assignment) {
  const std::size_t at = assignment.find('=');
  if (at == std::string_view::npos || at == 0) {
    refuse_usage({.place = "--set",
                  .what = cat("'", assignment, "' is no assignment"),
                  .cure = "write --set name=value, as in --set target_quantization_error=3"});
  }
  return {std::string(assignment.substr(0, at)), std::string(assignment.substr(at + 1))};
}

nlohmann::ordered_json parameters_json(const std::vector<Parameter>& parameters) {
  nlohmann::ordered_json out = nlohmann::ordered_json::object();
  for (const Parameter& parameter : parameters) {
    std::visit([&](const auto& value) { out[parameter.name] = value; }, parameter.value);
  }
  return out;
}

std::string command_line_text(const std::vector<Parameter>& parameters,
                              const std::vector<Parameter>& defaults) {
  const auto is_default = [&](std::size_t i) {
    return parameters[i].value == defaults.at(i).value;
  };
  // Where all sections agree on a change, the bare name says it once.
  const auto all_agree = [&](const Parameter& first) {
    std::size_t n = 0;
    for (std::size_t i = 0; i < parameters.size(); ++i) {
      if (parameters[i].info.name != first.info.name) continue;
      if (is_default(i) || parameters[i].value != first.value) return false;
      ++n;
    }
    return n > 1;
  };
  std::string out;
  std::vector<std::string_view> said;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const Parameter& p = parameters[i];
    if (is_default(i) || std::ranges::find(said, p.info.name) != said.end()) continue;
    const bool together = all_agree(p);
    if (together) said.push_back(p.info.name);
    out += cat(out.empty() ? "" : " ", "--set ", together ? std::string(p.info.name) : p.name, "=",
               value_text(p.value));
  }
  return out;
}

std::uint64_t parameters_hash(const std::vector<Parameter>& parameters) {
  std::uint64_t hash = 1469598103934665603ull;
  for (const Parameter& parameter : parameters) {
    for (const char c : cat(parameter.name, '=', value_text(parameter.value), ';')) {
      hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ull;
    }
  }
  return hash;
}

}  // namespace qaq
