#include "views/shell/system_theme.h"

#include <QApplication>
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QPalette>

namespace qaq::views {
namespace {

const QString kService = QStringLiteral("org.freedesktop.portal.Desktop");
const QString kPath = QStringLiteral("/org/freedesktop/portal/desktop");
const QString kInterface = QStringLiteral("org.freedesktop.portal.Settings");
const QString kGroup = QStringLiteral("org.freedesktop.appearance");
const QString kKey = QStringLiteral("color-scheme");

enum Scheme : uint { kNoPreference = 0, kPreferDark = 1, kPreferLight = 2 };

}  // namespace

SystemTheme::SystemTheme(QObject* parent) : QObject(parent) {
  m_dark = QApplication::palette().color(QPalette::Window).lightness() < 128;
  QDBusConnection bus = QDBusConnection::sessionBus();
  if (!bus.isConnected()) return;
  bus.connect(kService, kPath, kInterface, QStringLiteral("SettingChanged"), this,
              SLOT(take(QString, QString, QDBusVariant)));
  QDBusMessage ask =
      QDBusMessage::createMethodCall(kService, kPath, kInterface, QStringLiteral("Read"));
  ask << kGroup << kKey;
  // The answer may take long where the portal is being started: nothing waits for it.
  auto* watcher = new QDBusPendingCallWatcher(bus.asyncCall(ask), this);
  connect(watcher, &QDBusPendingCallWatcher::finished, this, [this, watcher] {
    const QDBusPendingReply<QDBusVariant> reply = *watcher;
    if (!reply.isError()) take(kGroup, kKey, reply.value());
    watcher->deleteLater();
  });
}

void SystemTheme::take(const QString& group, const QString& key, const QDBusVariant& value) {
  if (group != kGroup || key != kKey) return;
  QVariant scheme = value.variant();
  // Read wraps what it reads once more.
  if (scheme.canConvert<QDBusVariant>()) scheme = scheme.value<QDBusVariant>().variant();
  const uint told = scheme.toUInt();
  m_told = told == kPreferDark || told == kPreferLight;
  if (m_told) set(told == kPreferDark);
}

void SystemTheme::readPalette() {
  if (!m_told) set(QApplication::palette().color(QPalette::Window).lightness() < 128);
}

void SystemTheme::set(bool dark) {
  if (dark == m_dark) return;
  m_dark = dark;
  emit changed();
}

}  // namespace qaq::views
