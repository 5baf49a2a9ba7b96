package io.loomuring.it.soak;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/**
 * Transactions of pgjdbc's: each moves a stream's count on by one and adds a row. Whether one was
 * committed whose answer was lost, the table says.
 */
final class SqlExchange implements NumberedExchange {
    static final String SCHEMA =
            "create table counts (stream int primary key, last bigint not null); create table rows"
                    + " (stream int, number bigint, primary key (stream, number))";

    private final int stream;
    private final String url;
    private Connection connection;
    private long acknowledged;
    private boolean registered;

    /**
     * @param url with timeouts
     */
    SqlExchange(int stream, String url) {
        this.stream = stream;
        this.url = url;
    }

    @Override
    public void attempt(long number, Guard.Watch watch) throws SQLException, Violation {
        if (connection == null) {
            connection = DriverManager.getConnection(url);
            connection.setAutoCommit(false);
            settle(number);
            if (acknowledged == number) {
                return;
            }
        }
        if (update("update counts set last = last + 1 where stream = ? and last = ?", number - 1)
                != 1) {
            // the last attempt's transaction was not over when its successor asked
            connection.rollback();
            settle(number);
            if (acknowledged != number) {
                throw new Violation("stream %d is not at %d".formatted(stream, number - 1));
            }
            return;
        }
        update("insert into rows values (?, ?)", number);
        connection.commit();
        acknowledged = number;
    }

    private int update(String sql, long number) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setInt(1, stream);
            statement.setLong(2, number);
            return statement.executeUpdate();
        }
    }

    /** Learns how far the stream is: where we are, or at the number in doubt. */
    private void settle(long number) throws SQLException, Violation {
        if (!registered) {
            update("insert into counts values (?, ?) on conflict do nothing", 0);
            connection.commit();
            registered = true;
        }
        long last;
        long rows;
        // one statement, for one look: a transaction in doubt may be committed at any moment
        try (PreparedStatement statement =
                connection.prepareStatement(
                        "select last, (select count(*) from rows where rows.stream = counts.stream)"
                                + " from counts where stream = ?")) {
            statement.setInt(1, stream);
            try (ResultSet result = statement.executeQuery()) {
                result.next();
                last = result.getLong(1);
                rows = result.getLong(2);
                connection.commit();
            }
        }
        if (last != rows || last < number - 1 || last > number) {
            throw new Violation(
                    "stream %d: last %d, %d rows, acknowledged %d"
                            .formatted(stream, last, rows, acknowledged));
        }
        acknowledged = last;
    }

    @Override
    public void close() throws SQLException {
        Connection open = connection;
        connection = null;
        if (open != null) {
            open.close();
        }
    }
}
