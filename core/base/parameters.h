#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

namespace qaq {

/// Parameters are listed once. A parameter struct P has one function
///
///     template <class Self, class Visitor> static void visit(Self& self, Visitor& v) {
///       v(ParameterInfo{.name = "outliers_ratio", .help = "...", .max = 0.99},
///       self.outliers_ratio); v.section("key", [&](auto& inner) { Side::visit(self.key, inner);
///       });
///     }
///
/// and everything else comes from it: the command line's --set, the window's editor, JSON, HDF5
/// attributes, equality and the hash. To add a parameter: add the field and its line in visit().
/// Fields are bool, int, std::int64_t, double, RealOrAuto, or an enum with ChoiceNames.
struct ParameterInfo {
  std::string_view name;
  std::string_view help;
  std::string_view unit{};
  double min = -std::numeric_limits<double>::infinity();  ///< smallest value taken
  double max = std::numeric_limits<double>::infinity();   ///< largest value taken
  bool log_scale = false;                                 ///< sliders move in decades
  double slider_min = 0;  ///< the range that a slider offers; both 0: min to max
  double slider_max = 0;
};

/// The names of an enum's values, in order: specialize with `static constexpr std::array names`.
template <class Enum>
struct ChoiceNames;

/// A number, or "auto": the program finds it.
struct RealOrAuto {
  std::optional<double> number;  ///< empty: auto

  RealOrAuto(double value) : number(value) {}  // NOLINT: a plain number is one
  static RealOrAuto automatic() {
    RealOrAuto out(0);
    out.number.reset();
    return out;
  }
  bool operator==(const RealOrAuto&) const = default;
};
inline constexpr std::string_view kAuto = "auto";

enum class ParameterKind { boolean, integer, real, real_or_auto, choice };

using ParameterValue = std::variant<bool, std::int64_t, double, std::string>;

/// One parameter with its present value, free of the struct's type: what editors are made from.
struct Parameter {
  std::string name;     ///< as in --set: "key.level"; without a section "gqa_reduce"
  std::string section;  ///< "key", "value" or ""
  ParameterInfo info;
  ParameterKind kind = ParameterKind::real;
  std::vector<std::string> choices;  ///< of a choice, else empty
  ParameterValue value;
};

/// `value` brought to the parameter's kind and held against its range; text is read as a number,
/// "auto", a truth value or a choice. Throws Error{usage} that names the range or the nearest
/// choice.
ParameterValue checked_value(const Parameter& parameter, const ParameterValue& value);
/// The value as --set takes it: "0.01", "true", "head".
std::string value_text(const ParameterValue& value);
/// All parameters that `name` means: itself, or the same name in every section that has it.
/// Throws Error{usage} with the nearest name when there is none.
std::vector<Parameter> parameters_named(const std::vector<Parameter>& all, std::string_view name);
/// Splits "name=value". Throws Error{usage} where there is no '='.
std::pair<std::string, std::string> split_assignment(std::string_view assignment);
/// {"key.level": "head", ...}, in the visitor's order.
nlohmann::ordered_json parameters_json(const std::vector<Parameter>& parameters);
/// "--set key.level=head --set ...": those whose values differ from `defaults`, shell-safe; where
/// all sections differ alike, by their bare name.
std::string command_line_text(const std::vector<Parameter>& parameters,
                              const std::vector<Parameter>& defaults);
/// FNV-1a over names and values: equal parameters, equal hash, on every machine.
std::uint64_t parameters_hash(const std::vector<Parameter>& parameters);

namespace detail {

template <class T>
constexpr ParameterKind kind_of() {
  if constexpr (std::is_same_v<T, bool>)
    return ParameterKind::boolean;
  else if constexpr (std::is_enum_v<T>)
    return ParameterKind::choice;
  else if constexpr (std::is_integral_v<T>)
    return ParameterKind::integer;
  else if constexpr (std::is_same_v<T, RealOrAuto>)
    return ParameterKind::real_or_auto;
  else
    return ParameterKind::real;
}

struct Lister {
  std::vector<Parameter>* out;
  std::string section_name;

  template <class T>
  void operator()(const ParameterInfo& info, const T& field) {
    Parameter p;
    p.name =
        section_name.empty() ? std::string(info.name) : section_name + "." + std::string(info.name);
    p.section = section_name;
    p.info = info;
    p.kind = kind_of<T>();
    if constexpr (std::is_enum_v<T>) {
      for (const auto& choice : ChoiceNames<T>::names) p.choices.emplace_back(choice);
      p.value = p.choices.at(static_cast<std::size_t>(field));
    } else if constexpr (std::is_same_v<T, bool>) {
      p.value = field;
    } else if constexpr (std::is_integral_v<T>) {
      p.value = static_cast<std::int64_t>(field);
    } else if constexpr (std::is_same_v<T, RealOrAuto>) {
      if (field.number) {
        p.value = *field.number;
      } else {
        p.value = std::string(kAuto);
      }
    } else {
      p.value = static_cast<double>(field);
    }
    out->push_back(std::move(p));
  }
  template <class Body>
  void section(std::string_view name, Body&& body) {
    Lister inner{out, std::string(name)};
    body(inner);
  }
};

struct Setter {
  const std::string* name;
  const ParameterValue* value;
  std::string section_name;

  template <class T>
  void operator()(const ParameterInfo& info, T& field) {
    const std::string full =
        section_name.empty() ? std::string(info.name) : section_name + "." + std::string(info.name);
    if (full != *name) return;
    if constexpr (std::is_enum_v<T>) {
      const auto& names = ChoiceNames<T>::names;
      for (std::size_t i = 0; i < names.size(); ++i) {
        if (names[i] == std::get<std::string>(*value)) field = static_cast<T>(i);
      }
    } else if constexpr (std::is_same_v<T, bool>) {
      field = std::get<bool>(*value);
    } else if constexpr (std::is_integral_v<T>) {
      field = static_cast<T>(std::get<std::int64_t>(*value));
    } else if constexpr (std::is_same_v<T, RealOrAuto>) {
      const auto* number = std::get_if<double>(value);
      field = number ? RealOrAuto(*number) : RealOrAuto::automatic();
    } else {
      field = static_cast<T>(std::get<double>(*value));
    }
  }
  template <class Body>
  void section(std::string_view name_of_section, Body&& body) {
    Setter inner{name, value, std::string(name_of_section)};
    body(inner);
  }
};

}  // namespace detail

/// All parameters of `params`, in the visitor's order, sections flattened.
template <class P>
std::vector<Parameter> list_parameters(const P& params) {
  std::vector<Parameter> out;
  detail::Lister lister{&out, {}};
  P::visit(params, lister);
  return out;
}

/// Sets every parameter that `name` means (a bare name sets all sections).
template <class P>
void set_parameter(P& params, std::string_view name, const ParameterValue& value) {
  for (const Parameter& parameter : parameters_named(list_parameters(params), name)) {
    const ParameterValue checked = checked_value(parameter, value);
    detail::Setter setter{&parameter.name, &checked, {}};
    P::visit(params, setter);
  }
}

/// Applies one `--set name=value`.
template <class P>
void apply_assignment(P& params, std::string_view assignment) {
  const auto [name, value] = split_assignment(assignment);
  set_parameter(params, name, ParameterValue(value));
}

template <class P>
bool same_parameters(const P& a, const P& b) {
  const auto x = list_parameters(a), y = list_parameters(b);
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i].value != y[i].value) return false;
  }
  return true;
}

}  // namespace qaq
