#include "core/base/parameter_grid.h"

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <set>

#include "core/base/error.h"
#include "core/base/text.h"

namespace qaq {
namespace {

using Settings = std::vector<Parameter>;

const Parameter* find(const Settings& settings, const std::string& name) {
  const auto found = std::ranges::find(settings, name, &Parameter::name);
  return found == settings.end() ? nullptr : &*found;
}

std::optional<double> number_of(const ParameterValue& value) {
  if (const auto* i = std::get_if<std::int64_t>(&value)) return static_cast<double>(*i);
  if (const auto* d = std::get_if<double>(&value)) return *d;
  return std::nullopt;
}

std::string trimmed(const std::string& text) {
  const auto first = text.find_first_not_of(' ');
  return first == std::string::npos ? ""
                                    : text.substr(first, text.find_last_not_of(' ') - first + 1);
}

// NAME OP NAME-or-VALUE of one section.
struct Comparison {
  std::string left, op, right;

  bool holds(const Settings& settings) const {
    const Parameter& a = *find(settings, left);
    const Parameter* other = find(settings, right);
    const ParameterValue b = other ? other->value : checked_value(a, right);
    const auto x = number_of(a.value), y = number_of(b);
    if (x && y) {
      return op == "=="   ? *x == *y
             : op == "!=" ? *x != *y
             : op == "<"  ? *x < *y
             : op == "<=" ? *x <= *y
             : op == ">"  ? *x > *y
                          : *x >= *y;
    }
    const bool equal = value_text(a.value) == value_text(b);
    return op == "==" ? equal : !equal;
  }
};

class Condition {
 public:
  Condition(const std::string& text, const Settings& defaults) : text_(text) {
    std::size_t from = 0;
    while (true) {
      const std::size_t end = text.find(" and ", from);
      read(text.substr(from, end - from), defaults);
      if (end == std::string::npos) break;
      from = end + 5;
    }
  }
  bool holds(const Settings& settings) const {
    return std::ranges::all_of(comparisons_,
                               [&](const Comparison& c) { return c.holds(settings); });
  }

 private:
  void read(const std::string& text, const Settings& defaults) {
    static constexpr std::array<const char*, 6> kOperators{"==", "!=", "<=", ">=", "<", ">"};
    const auto op = std::ranges::find_if(
        kOperators, [&](const char* o) { return text.find(o) != std::string::npos; });
    if (op == kOperators.end()) refuse("compares nothing");
    const std::size_t at = text.find(*op);
    const std::string left = trimmed(text.substr(0, at));
    const std::string right = trimmed(text.substr(at + std::string(*op).size()));
    for (const Parameter& parameter : parameters_named(defaults, left)) {
      Comparison c{parameter.name, *op, right};
      // A bare name on the right is of the section on the left, where that has it.
      if (!parameter.section.empty() && find(defaults, parameter.section + "." + right)) {
        c.right = parameter.section + "." + right;
      }
      const Parameter* other = find(defaults, c.right);
      if (!other) checked_value(parameter, right);
      const bool numbers = number_of(parameter.value) && (!other || number_of(other->value));
      if (!numbers && c.op != "==" && c.op != "!=") refuse("orders what is no number");
      comparisons_.push_back(std::move(c));
    }
  }
  [[noreturn]] void refuse(const char* what) const {
    refuse_usage({.place = cat("when \"", text_, "\""),
                  .what = what,
                  .cure = "write NAME OP VALUE, OP being == != < <= > >="});
  }

  std::string text_;
  std::vector<Comparison> comparisons_;
};

void set(Settings& settings, const GridAxis& axis, const ParameterValue& value) {
  for (const Parameter& named : parameters_named(settings, axis.name)) {
    std::ranges::find(settings, named.name, &Parameter::name)->value = checked_value(named, value);
  }
}

// Calls `take` with every combination of the axes from `at` on.
void combine(const std::vector<GridAxis>& axes, std::size_t at, Settings& settings,
             const std::function<void(Settings&)>& take) {
  if (at == axes.size()) return take(settings);
  const Settings before = settings;
  for (const ParameterValue& value : axes[at].values) {
    settings = before;
    set(settings, axes[at], value);
    combine(axes, at + 1, settings, take);
  }
  settings = before;
}

double most_settings(const ParameterGrid& grid) {
  double n = 1;
  for (const GridAxis& axis : grid.axes) n *= static_cast<double>(axis.values.size());
  for (const GridBranch& branch : grid.branches) {
    double inner = 1;
    for (const GridAxis& axis : branch.axes) inner *= static_cast<double>(axis.values.size());
    n *= std::max(inner, 1.0);
  }
  return n;
}

void check_axes(const std::vector<GridAxis>& axes, const Settings& defaults) {
  for (const GridAxis& axis : axes) {
    if (axis.values.empty()) {
      refuse_usage(
          {.place = axis.name, .what = "has no values", .cure = "list some, or leave it out"});
    }
    for (const Parameter& parameter : parameters_named(defaults, axis.name)) {
      for (const ParameterValue& value : axis.values) checked_value(parameter, value);
    }
  }
}

}  // namespace

std::vector<std::vector<Parameter>> settings_of(const ParameterGrid& grid,
                                                const std::vector<Parameter>& defaults) {
  check_axes(grid.axes, defaults);
  for (const GridBranch& branch : grid.branches) check_axes(branch.axes, defaults);
  if (const double n = most_settings(grid); n > static_cast<double>(kMostSettings)) {
    refuse_usage({.place = "grid",
                  .what = cat("makes up to ", n, " runs, and ", kMostSettings, " is the most"),
                  .cure = "give fewer values, or split the grid"});
  }
  std::vector<Condition> conditions, branch_conditions;
  for (const std::string& text : grid.conditions) conditions.emplace_back(text, defaults);
  for (const GridBranch& b : grid.branches) branch_conditions.emplace_back(b.condition, defaults);

  std::vector<Settings> out;
  std::set<std::string> seen;
  const auto keep = [&](const Settings& settings) {
    if (!std::ranges::all_of(conditions, [&](const auto& c) { return c.holds(settings); })) return;
    std::string text;
    for (const Parameter& parameter : settings) text += value_text(parameter.value) + " ";
    if (seen.insert(text).second) out.push_back(settings);
  };
  const std::function<void(Settings&, std::size_t)> branch = [&](Settings& settings,
                                                                 std::size_t at) {
    while (at < grid.branches.size() && !branch_conditions[at].holds(settings)) ++at;
    if (at == grid.branches.size()) return keep(settings);
    combine(grid.branches[at].axes, 0, settings, [&](Settings& s) { branch(s, at + 1); });
  };
  Settings settings = defaults;
  combine(grid.axes, 0, settings, [&](Settings& s) { branch(s, 0); });
  return out;
}

}  // namespace qaq
