#pragma once

#include <QDBusVariant>
#include <QObject>

namespace qaq::views {

/// Whether the desktop wants dark windows: what its settings portal says
/// (org.freedesktop.appearance color-scheme), and where there is none, the palette that the
/// platform gave the program. Qt 6.4 tells neither by itself.
class SystemTheme : public QObject {
  Q_OBJECT

 public:
  explicit SystemTheme(QObject* parent = nullptr);

  bool isDark() const { return m_dark; }
  /// The platform gave a new palette.
  void readPalette();

 public slots:
  /// A setting of the portal has changed, or was asked for.
  void take(const QString& group, const QString& key, const QDBusVariant& value);

 signals:
  void changed();

 private:
  void set(bool dark);

  bool m_dark = false;
  bool m_told = false;  ///< by the portal, which palettes do not overrule
};

}  // namespace qaq::views
