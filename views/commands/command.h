#pragma once

#include <QKeySequence>
#include <QList>
#include <QString>
#include <QStringList>
#include <QVariantMap>
#include <functional>
#include <optional>

namespace qaq::views {

/// One argument of a command.
struct CommandArgument {
  /// Whole numbers are held against `range`, choices against `choices`; text is taken as it is, and
  /// its `choices` are only offered.
  enum class Kind { whole, choice, text };
  struct Range {
    int least = 0;
    int most = 0;
  };

  QString name{};
  QString help{};
  Kind kind = Kind::text;
  /// Asked whenever it is needed: a capture decides.
  std::function<Range()> range{};
  std::function<QStringList()> choices{};
  bool optional = false;
};

/// Arguments by their names: int for whole numbers, else QString. Optional ones may be missing.
using CommandArguments = QVariantMap;

/// What the window can do: one entry feeds its menus, shortcuts, palette, undo labels, tests and
/// --do.
struct Command {
  QString id{};                     ///< "go.layer.next": what scripts and stored shortcuts call it
  QString word{};                   ///< short name on a line, as in "layer 14"; empty: only the id
  QString text{};                   ///< as menus show it
  QString help{};                   ///< one sentence
  QString keywords{};               ///< more words that the palette finds it by
  QList<QKeySequence> shortcuts{};  ///< as shipped
  QString menu{};                   ///< a menu that was added: "go"
  QString section{};                ///< commands of another section stand behind a separator
  QList<CommandArgument> arguments{};
  /// Why it cannot run now, as a sentence with its cure; empty: it can. Left out: it always can.
  std::function<QString()> blocked{};
  std::function<bool()> checked{};     ///< for what can be on and off
  std::function<QString()> textNow{};  ///< where the text tells more than `text`
  /// Its menu lists the choices of its argument instead of it, with a mark at the one that holds.
  bool isListed = false;
  std::function<QString()> choiceNow{};  ///< for what is listed: the choice that holds; empty: none
  bool isRecalled = true;                ///< stands first in the palette once it ran
  /// Throws Error{usage} where arguments mean nothing.
  std::function<void(const CommandArguments&)> run{};

  bool needsArguments() const { return !arguments.isEmpty() && !arguments.first().optional; }
};

/// Shortcuts as people read them on this machine: "Ctrl+Shift+Z, Ctrl+Y".
QString shortcutsText(const QList<QKeySequence>& shortcuts);

/// A command with its arguments, ready to run.
struct Invocation {
  QString id{};
  CommandArguments arguments{};
};

}  // namespace qaq::views
