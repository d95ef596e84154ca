#pragma once

#include <QList>
#include <functional>
#include <optional>

#include "views/commands/command_registry.h"

namespace qaq::views {

/// One line of the palette.
struct PaletteEntry {
  QString text{};
  QString detail{};      ///< what it does, or why it cannot
  QString shortcut{};    ///< as written on this machine
  QString completion{};  ///< what Tab writes; Enter too where there is nothing to run yet
  std::optional<Invocation> invocation{};
  bool enabled = true;
  int score = 0;  ///< how well it fits what was typed
};

/// What the palette finds: commands by abbreviation, keyword or name, those that ran lately first;
/// their arguments once a command is written; and what sources add (parameters, tokens). What
/// cannot run comes last, with the reason.
class PaletteSearch {
 public:
  using Source = std::function<QList<PaletteEntry>(const QString& query)>;

  explicit PaletteSearch(const CommandRegistry* registry) : m_registry(registry) {}

  void addSource(Source source) { m_sources.push_back(std::move(source)); }
  QList<PaletteEntry> find(const QString& query) const;

 private:
  QList<PaletteEntry> commands(const QString& query) const;
  QList<PaletteEntry> calls(const QString& query) const;
  PaletteEntry entryOf(const Command& command) const;

  const CommandRegistry* m_registry;
  std::vector<Source> m_sources;
};

}  // namespace qaq::views
