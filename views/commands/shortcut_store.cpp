#include "views/commands/shortcut_store.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QSaveFile>

#include "core/base/error.h"
#include "core/base/text.h"
#include "views/commands/command_registry.h"

namespace qaq::views {
namespace {

constexpr QLatin1String kFormat("qaq-shortcuts");
constexpr int kVersion = 1;

[[noreturn]] void refuse(const QString& path, const std::string& place, const std::string& what) {
  refuse_input({.file = path.toStdString(),
                .place = place,
                .what = what,
                .cure = "mend the file or delete it"});
}

QList<QKeySequence> sequences(const QString& path, const QString& id, const QJsonValue& value) {
  QList<QKeySequence> keys;
  for (const QJsonValue& one : value.toArray()) {
    const auto key = QKeySequence::fromString(one.toString(), QKeySequence::PortableText);
    if (key.isEmpty() || key[0].key() == Qt::Key_unknown) {
      refuse(path, cat("shortcuts/", id.toStdString()),
             cat("'", one.toString().toStdString(), "' is no shortcut"));
    }
    keys.push_back(key);
  }
  if (!value.isArray()) refuse(path, cat("shortcuts/", id.toStdString()), "is no list");
  return keys;
}

}  // namespace

/// The member "shortcuts".
QJsonObject ShortcutStore::read() const {
  QFile file(m_path);
  if (!file.exists()) return {};
  if (!file.open(QIODevice::ReadOnly)) refuse(m_path, "", "cannot be read");
  QJsonParseError error;
  const QJsonDocument document = QJsonDocument::fromJson(file.readAll(), &error);
  if (error.error != QJsonParseError::NoError) {
    refuse(m_path, cat("byte ", error.offset),
           "is not valid JSON: " + error.errorString().toStdString());
  }
  const QJsonObject root = document.object();
  if (root[QLatin1String("format")].toString() != kFormat) {
    refuse(m_path, "format", "is not qaq-shortcuts");
  }
  if (root[QLatin1String("version")].toInt() != kVersion) {
    refuse(m_path, "version", "is another than 1");
  }
  return root[QLatin1String("shortcuts")].toObject();
}

void ShortcutStore::load(CommandRegistry& registry) {
  const QJsonObject stored = read();
  QHash<QString, QList<QKeySequence>> wanted;
  for (const Command* command : registry.all()) {
    wanted.insert(command->id, stored.contains(command->id)
                                   ? sequences(m_path, command->id, stored[command->id])
                                   : registry.shortcuts(command->id));
  }
  QHash<QKeySequence, QString> holders;
  for (const Command* command : registry.all()) {
    for (const QKeySequence& key : wanted[command->id]) {
      if (holders.contains(key)) {
        refuse(m_path, cat("shortcuts/", command->id.toStdString()),
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
  QJsonObject shortcuts = read();
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
  const QJsonObject root{{"format", kFormat}, {"version", kVersion}, {"shortcuts", shortcuts}};
  QDir().mkpath(QFileInfo(m_path).absolutePath());
  QSaveFile file(m_path);
  if (!file.open(QIODevice::WriteOnly) || file.write(QJsonDocument(root).toJson()) < 0 ||
      !file.commit()) {
    throw Error(ErrorKind::work, {.file = m_path.toStdString(),
                                  .what = "cannot be written: " + file.errorString().toStdString(),
                                  .cure = "the shortcut holds until the window is closed"});
  }
}

}  // namespace qaq::views
