#include "views/commands/shortcut_store.h"

#include <QJsonArray>

#include "core/base/text.h"
#include "views/commands/command_registry.h"

namespace qaq::views {
namespace {

constexpr QLatin1String kShortcuts("shortcuts");

QList<QKeySequence> sequences(const ConfigFile& file, const QString& id, const QJsonValue& value) {
  QList<QKeySequence> keys;
  for (const QJsonValue& one : value.toArray()) {
    const auto key = QKeySequence::fromString(one.toString(), QKeySequence::PortableText);
    if (key.isEmpty() || key[0].key() == Qt::Key_unknown) {
      file.refuse(cat("shortcuts/", id.toStdString()),
                  cat("'", one.toString().toStdString(), "' is no shortcut"));
    }
    keys.push_back(key);
  }
  if (!value.isArray()) file.refuse(cat("shortcuts/", id.toStdString()), "is no list");
  return keys;
}

}  // namespace

void ShortcutStore::load(CommandRegistry& registry) {
  const QJsonObject stored = m_file.read()[kShortcuts].toObject();
  QHash<QString, QList<QKeySequence>> wanted;
  for (const Command* command : registry.all()) {
    wanted.insert(command->id, stored.contains(command->id)
                                   ? sequences(m_file, command->id, stored[command->id])
                                   : registry.shortcuts(command->id));
  }
  QHash<QKeySequence, QString> holders;
  for (const Command* command : registry.all()) {
    for (const QKeySequence& key : wanted[command->id]) {
      if (holders.contains(key)) {
        m_file.refuse(
            cat("shortcuts/", command->id.toStdString()),
            cat("'", key.toString().toStdString(), "' belongs to ", holders[key].toStdString()));
      }
      holders.insert(key, command->id);
    }
  }
  for (auto it = wanted.begin(); it != wanted.end(); ++it) {
    registry.setShortcuts(it.key(), it.value());
  }
}

void ShortcutStore::save(const CommandRegistry& registry) {
  QJsonObject shortcuts = m_file.read()[kShortcuts].toObject();
  for (const Command* command : registry.all()) {
    if (registry.hasShippedShortcuts(command->id)) {
      shortcuts.remove(command->id);
      continue;
    }
    QJsonArray keys;
    for (const QKeySequence& key : registry.shortcuts(command->id)) {
      keys.push_back(key.toString(QKeySequence::PortableText));
    }
    shortcuts[command->id] = keys;
  }
  m_file.write({{kShortcuts, shortcuts}}, "the shortcut holds until the window is closed");
}

}  // namespace qaq::views
