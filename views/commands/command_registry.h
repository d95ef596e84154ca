#pragma once

#include <QHash>
#include <QObject>
#include <memory>
#include <vector>

#include "views/commands/command.h"

class QAction;

namespace qaq::views {

/// All commands of the window. Each owns one QAction, which menus, toolbar and shortcuts share.
/// Commands run by their id or by a line of text; a wrong line is refused with the nearest name.
class CommandRegistry : public QObject {
  Q_OBJECT

 public:
  /// Reads a line that begins with no command's name ("tok:412"); none where it is not its kind.
  /// Throws Error{usage} where it is, but wrong.
  using LineReader = std::function<std::optional<Invocation>(const QString& line)>;

  explicit CommandRegistry(QObject* parent = nullptr);
  ~CommandRegistry() override;

  /// `command` has an id and a word that no other has.
  QAction* add(Command command);
  void addLineReader(LineReader reader);

  /// Null where there is none.
  const Command* find(const QString& id) const;
  /// In the order in which they were added.
  QList<const Command*> all() const;
  QAction* action(const QString& id) const;
  QString textOf(const Command& command) const;

  bool isEnabled(const QString& id) const { return blocked(id).isEmpty(); }
  /// Why it cannot run now; empty: it can.
  QString blocked(const QString& id) const;
  /// Asks every command anew whether it can run and is on.
  void refresh();

  /// What a line means that can run now: a name with arguments ("layer 14", "go.cache key", "find
  /// side=K"), or what a line reader knows. Throws Error{usage}.
  Invocation read(const QString& line) const;
  /// The arguments of `command` from the words behind its name, in order or as name=value.
  CommandArguments argumentsOf(const Command& command, const QStringList& words) const;
  /// Throws Error{usage}: no such command, it cannot run now, or its arguments mean nothing.
  void trigger(const QString& id, const CommandArguments& arguments = {});
  void triggerLine(const QString& line);
  /// As triggerLine(), but an error is signalled.
  void tryLine(const QString& line);
  void tryTrigger(const Invocation& invocation);

  /// Ids of commands that ran, newest first, each once.
  const QStringList& recent() const { return m_recent; }

  /// In place of those shipped; empty: none.
  void setShortcuts(const QString& id, const QList<QKeySequence>& shortcuts);
  QList<QKeySequence> shortcuts(const QString& id) const;
  bool hasShippedShortcuts(const QString& id) const;
  /// The command that has `shortcut`, or begins or goes on with it; null: it is free.
  const Command* holderOf(const QKeySequence& shortcut) const;

 signals:
  void added(const QString& id);
  /// Whether it can run, or its text, is another now.
  void changed(const QString& id);
  void shortcutsChanged(const QString& id);
  void ran(const QString& id);
  /// A command was given without the arguments that it needs.
  void argumentsWanted(const QString& id);
  /// A command given by hand was refused: why and what to do.
  void refused(const QString& line);

 private:
  struct Entry;
  Entry* entry(const QString& id) const;
  const Command* named(const QString& name) const;
  void actionTriggered(const Entry& entry);
  void refresh(Entry& entry);

  std::vector<std::unique_ptr<Entry>> m_entries;
  QHash<QString, Entry*> m_byName;  ///< ids and words
  std::vector<LineReader> m_readers;
  QStringList m_recent;
};

}  // namespace qaq::views
