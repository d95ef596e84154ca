#pragma once

#include <QJsonObject>
#include <QString>
#include <algorithm>
#include <string_view>

#include "core/base/parameters.h"

namespace qaq::views {

inline QString choiceName(std::string_view name) {
  return QString::fromLatin1(name.data(), static_cast<qsizetype>(name.size()));
}

/// A choice of a view in its state (PlotView::viewState()), by name; left out where it is the one
/// that the view begins with.
template <class Enum>
void keepChoice(QJsonObject& state, QLatin1String key, Enum chosen, Enum first) {
  if (chosen == first) return;
  state[key] = choiceName(ChoiceNames<Enum>::names[static_cast<std::size_t>(chosen)]);
}

/// The choice that keepChoice() kept; `first` where there is none or it means nothing.
template <class Enum>
Enum keptChoice(const QJsonObject& state, QLatin1String key, Enum first) {
  const auto& names = ChoiceNames<Enum>::names;
  const QString kept = state.value(key).toString();
  const auto found = std::ranges::find(names, kept, choiceName);
  return found == names.end() ? first : static_cast<Enum>(found - names.begin());
}

}  // namespace qaq::views
