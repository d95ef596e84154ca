#include "views/shell/window_style.h"

#include <QRegularExpression>

namespace qaq::views {

QPalette windowPalette(const Theme& theme) {
  QPalette palette;
  palette.setColor(QPalette::Window, theme.background);
  palette.setColor(QPalette::WindowText, theme.text);
  palette.setColor(QPalette::Base, theme.surface);
  palette.setColor(QPalette::AlternateBase, theme.raised);
  palette.setColor(QPalette::Text, theme.text);
  palette.setColor(QPalette::PlaceholderText, theme.faint);
  palette.setColor(QPalette::Button, theme.raised);
  palette.setColor(QPalette::ButtonText, theme.text);
  palette.setColor(QPalette::ToolTipBase, theme.surface);
  palette.setColor(QPalette::ToolTipText, theme.text);
  palette.setColor(QPalette::Highlight, theme.accent);
  palette.setColor(QPalette::HighlightedText, theme.onAccent);
  palette.setColor(QPalette::Link, theme.accent);
  palette.setColor(QPalette::Mid, theme.border);
  palette.setColor(QPalette::Dark, theme.frame);
  for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText}) {
    palette.setColor(QPalette::Disabled, role, theme.faint);
  }
  return palette;
}

QString windowStyleSheet(const Theme& theme) {
  QString sheet = QStringLiteral(R"(
QMenuBar { background: @background; padding: 0 4px; }
QMenuBar::item { padding: 4px 8px; background: transparent; }
QMenuBar::item:selected, QMenu::item:selected { background: @soft; color: @text; }
QMenu { background: @surface; border: 1px solid @border; padding: 4px; }
QMenu::item { padding: 4px 24px 4px 20px; }
QMenu::item:disabled { color: @faint; }
QMenu::separator { height: 1px; background: @border; margin: 4px; }
QToolBar { background: @background; border: 0; border-bottom: 1px solid @border;
           spacing: 6px; padding: 6px; }
QStatusBar { background: @background; border-top: 1px solid @border; }
QStatusBar::item { border: 0; }
QStatusBar QLabel { color: @muted; padding: 0 8px; }
#dockTitle { background: @surface; border: 1px solid @border; padding: 6px 12px; }
#parameterPanel, #inspectorPanel, #runsPanel { background: @surface; border: 1px solid @border; border-top: 0; }
QMainWindow::separator { background: @background; width: 6px; height: 6px; }
QTabBar { qproperty-drawBase: 0; }
QTabWidget::pane { border: 0; }
QTabBar::tab { background: @background; color: @muted; padding: 5px 10px; border: 1px solid @border; }
#pages > QTabBar::tab { padding: 5px 7px; }
QMainWindow > QTabBar::tab { padding: 5px 4px; }
QTabBar::tab:selected { background: @surface; color: @text; border-top: 2px solid @accent; }
QScrollArea, QScrollArea > QWidget > QWidget { background: @surface; border: 0; }
QToolButton, QPushButton { background: @raised; border: 1px solid @border; border-radius: 4px;
                           padding: 3px 10px; min-height: 18px; }
QToolButton { padding: 3px 6px; }
QToolButton[popupMode="1"], QToolButton[popupMode="2"] { padding-right: 18px; }
QToolButton::menu-indicator { subcontrol-position: center right; right: 4px; }
QToolButton:hover, QPushButton:hover { border-color: @frame; }
QToolButton:checked { background: @soft; border-color: @accent; }
#perspectives QToolButton:checked { background: @accent; color: @onaccent; border-color: @accent; }
QPushButton:default { background: @accent; color: @onaccent; border-color: @accent; }
QToolButton:disabled, QPushButton:disabled { color: @faint; }
QSlider::groove:horizontal { height: 4px; background: @border; border-radius: 2px; }
QSlider::sub-page:horizontal { height: 4px; background: @accent; border-radius: 2px; }
QSlider::sub-page:horizontal:disabled { background: @border; }
QSlider::handle:horizontal { width: 8px; height: 8px; margin: -4px 0; border-radius: 6px;
                             background: @surface; border: 2px solid @accent; }
QSlider::handle:horizontal:disabled { border-color: @border; }
QTreeWidget { background: @surface; border: 0; }
QHeaderView::section { background: @raised; color: @muted; border: 0; border-bottom: 1px solid @border;
                       padding: 3px 4px; }
QScrollBar:vertical { background: @surface; width: 10px; margin: 0; border: 0; }
QScrollBar:horizontal { background: @surface; height: 10px; margin: 0; border: 0; }
QScrollBar::handle { background: @frame; border-radius: 4px; margin: 1px; }
QScrollBar::handle:vertical { min-height: 28px; }
QScrollBar::handle:horizontal { min-width: 28px; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: @surface; }
QToolTip { background: @surface; color: @text; border: 1px solid @border; }
)");
  const auto put = [&sheet](const char* name, const QColor& color) {
    sheet.replace(QLatin1Char('@') + QLatin1String(name) + QLatin1Char(';'),
                  color.name() + QLatin1Char(';'));
  };
  put("background", theme.background);
  put("surface", theme.surface);
  put("raised", theme.raised);
  put("border", theme.border);
  put("frame", theme.frame);
  put("text", theme.text);
  put("muted", theme.muted);
  put("faint", theme.faint);
  put("accent", theme.accent);
  put("soft", theme.accentSoft);
  put("onaccent", theme.onAccent);
  static const QRegularExpression kLengths(QStringLiteral("(\\d+)px"));
  QString scaled;
  qsizetype from = 0;
  for (const QRegularExpressionMatch& length : kLengths.globalMatch(sheet)) {
    scaled += sheet.sliced(from, length.capturedStart() - from) +
              QStringLiteral("%1px").arg(wholePx(length.captured(1).toInt()));
    from = length.capturedEnd();
  }
  return scaled + sheet.sliced(from);
}

}  // namespace qaq::views
