SET app.user_id = 7
